"""What earlier runs came to, for looking back, from their journals alone."""
