"""Tests of ``src.io.reports``."""
