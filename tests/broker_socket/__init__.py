"""The broker rooms through the real client, against the simulated gateway over a socket."""
