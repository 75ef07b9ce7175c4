"""What the command line asks of a plan besides the targets: invest, withdraw, leave alone.

A wish changes targets, floor and choices before the plan is sized. Start with ``effect``.
"""
