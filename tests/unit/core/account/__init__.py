"""Tests of ``src.core.account``."""
