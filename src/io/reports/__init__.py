"""Rows and totals that reports are made of."""
