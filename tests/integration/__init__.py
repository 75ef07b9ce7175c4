"""A real paper account; skipped unless asked for."""
