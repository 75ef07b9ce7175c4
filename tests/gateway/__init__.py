"""The simulated gateway, alone and with the real client over a loopback socket."""
