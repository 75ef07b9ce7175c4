"""The order journal on disk: one append-only SQLite file per account.

``db`` is the entry. An event is on disk before ``append`` returns.
"""
