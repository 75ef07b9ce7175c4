"""The socket side: server, sessions of clients, faults on the wire, the record of what was sent."""
