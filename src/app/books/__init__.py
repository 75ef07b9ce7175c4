"""An account's lock and journal on this machine: held, settled, closed.

``account_books`` holds them, ``recovery`` asks the broker about what earlier runs left,
``accounting`` closes the books of a run that is over.
"""
