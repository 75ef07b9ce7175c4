"""Tests of ``src.io.files``."""
