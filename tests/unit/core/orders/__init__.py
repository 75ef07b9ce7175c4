"""Tests of ``src.core.orders``."""
