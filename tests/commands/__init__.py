"""Whole commands as a person runs them, against simulated gateways over real sockets."""
