"""The edge towards Interactive Brokers: the only rooms that know ``ib_async`` or its wire.

``ibkr_client`` opens a session, ``execution`` carries out a permitted plan, ``ports`` names the
two doors between them.
"""
