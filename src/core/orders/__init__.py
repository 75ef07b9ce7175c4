"""One order, and one ticket over all its attempts, as pure state machines.

``machine`` is the entry (evidence in, new state and commands out); ``state`` names what it works
on, ``proof`` says what the broker's lists prove, ``tickets`` ties attempts together.
"""
