"""Instruments and their prices at this moment."""
