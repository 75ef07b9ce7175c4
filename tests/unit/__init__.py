"""One module or rule at a time, no input or output beyond a temporary directory."""
