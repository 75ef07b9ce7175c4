"""One script of actions, played by every public client library against the simulated gateway.

Start with ``play``: it makes an environment per library and prints the table of what each of them
saw. Not part of the test suite: it downloads the libraries.
"""
