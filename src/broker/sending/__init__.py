"""Sending orders within a permit and following them to their end."""
