"""Tests of ``src.io.portfolio_file``."""
