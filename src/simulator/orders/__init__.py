"""Orders at the simulated exchange: refused, accepted, filled, cancelled, asked about.

``desk`` takes them in, ``flow`` lets them live, ``floor`` is what all parts share.
"""
