"""A whole run: its state from the journal, what became of it, its report, its recovery.

``fold`` rebuilds a run from its events; ``reconcile`` settles a dead one by the order machine's
rules; ``report`` says exit code and words.
"""
