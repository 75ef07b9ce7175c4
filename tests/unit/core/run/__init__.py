"""Tests of ``src.core.run``."""
