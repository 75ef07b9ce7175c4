"""Times as brokers and exchanges write them, and the sessions in which a contract trades.

Every form of a broker's time is read in ``broker_time`` and nowhere else.
"""
