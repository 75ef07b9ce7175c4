"""Tests of ``src.core.wishes``."""
