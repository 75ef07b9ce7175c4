"""Tests of ``src.broker.client``."""
