"""Tests of ``src.terminal``."""
