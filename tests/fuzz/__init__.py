"""Seeded fuzzing: damaged input files, a hostile gateway, a hostile client."""
