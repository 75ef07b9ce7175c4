"""Tests of ``src.core.showing``."""
