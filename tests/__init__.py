"""Tests; what each folder holds is said in its own docstring."""
