"""The run machine, step by step."""
