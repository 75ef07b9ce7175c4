"""One test per fault: the whole command, the real client, a real socket, a simulated gateway."""
