"""Whole units: which trades to round up, which down, and which to leave out.

``best_plan`` is the entry; its problem in integers stands in ``problem``, its search in ``swaps``.
"""
