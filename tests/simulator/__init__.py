"""The simulated gateway itself: its messages, its exchange, its server."""
