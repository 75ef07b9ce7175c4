"""Market data lines: what a client is granted, and the ticks it gets."""
