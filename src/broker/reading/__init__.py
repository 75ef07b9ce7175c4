"""Connecting, and reading: account, contracts, quotes.

``market_reader`` is the door; every question ends by a deadline.
"""
