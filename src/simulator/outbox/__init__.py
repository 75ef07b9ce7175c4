"""Messages on their way to clients: to whom, when, and in which form of time."""
