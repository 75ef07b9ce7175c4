"""Tests of ``src.core.journal``."""
