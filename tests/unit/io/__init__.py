"""Tests of src.io, one file per module."""
