"""The edge towards Interactive Brokers: the only rooms that know ``ib_async`` or its wire."""
