"""The library's client made safe, and what it hears: raw evidence, converted to our records.

``guarded_client`` is the socket's last gate, ``listener`` the first ear.
"""
