"""A confirmed run while it works, as a pure machine: events and time in, commands out.

``machine`` makes a step and has the table of stages; ``parts`` and ``words`` name what is known,
what may happen and what is to be done; the others hold the rules, one subject each.
"""
