"""A simulated TWS gateway on loopback: the socket protocol outside, plain messages inside.

``exchange`` takes requests and the passing of time; ``python -m src.simulator`` runs it alone. It
knows nothing of the program and can serve any client.
"""
