"""Tests of ``src.io.journal``."""
