"""Tests of ``src.broker.wire``."""
