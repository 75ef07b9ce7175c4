"""The edge to the broker, with the broker replaced by records."""
