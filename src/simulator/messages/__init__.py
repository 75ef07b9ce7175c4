"""Every message of the protocol subset, as records, and the walks between record and wire.

Start with ``tables``: one per direction, keyed by message id.
"""
