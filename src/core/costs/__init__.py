"""What the broker says a plan will cost, and the permission to ask."""
