"""Tests of ``src.broker.reading``."""
