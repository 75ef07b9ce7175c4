"""What a doctor finds, and what it concludes from what the broker says."""
