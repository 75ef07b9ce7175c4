"""Tests of ``src.app``."""
