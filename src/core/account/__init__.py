"""What an account is and may do, from the broker's own figures.

Which of two cash figures counts, whether it may borrow, and why its net liq differs from ours.
"""
