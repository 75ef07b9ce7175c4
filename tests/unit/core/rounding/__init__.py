"""Tests of ``src.core.rounding``."""
