"""Tests of ``src.core.permission``."""
