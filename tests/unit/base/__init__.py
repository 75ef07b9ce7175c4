"""Tests of ``src.base``."""
