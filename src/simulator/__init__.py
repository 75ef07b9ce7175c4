"""A simulated TWS gateway on loopback: the socket protocol outside, plain messages inside."""
