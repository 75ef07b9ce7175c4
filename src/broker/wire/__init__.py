"""Bytes and pace: frames, which messages may leave at all, how fast, and what time it is."""
