"""What a run writes down: its event records, and their one form as text.

The events are the vocabulary of the order machine too. Start with ``events``.
"""
