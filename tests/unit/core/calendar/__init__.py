"""Tests of ``src.core.calendar``."""
