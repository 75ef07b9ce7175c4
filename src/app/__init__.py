"""The use cases, each a street from files and broker to an exit code.

``runs`` are the two that only look, ``trading`` the one that trades (``approval`` gets its yes),
``maintenance`` settles earlier runs. Here and in the rooms below alone files and broker meet.
"""
