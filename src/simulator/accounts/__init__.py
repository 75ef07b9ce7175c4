"""Simulated accounts: money and holdings, and the feeds that report them."""
