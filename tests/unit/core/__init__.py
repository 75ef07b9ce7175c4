"""Tests of src.core, one file per module."""
