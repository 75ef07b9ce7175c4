"""Tests of ``src.core.health``."""
