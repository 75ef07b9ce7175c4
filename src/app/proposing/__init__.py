"""From files and broker to a proposal on the screen: read, plan, show, file the report.

Start with ``planning``. Nothing here can trade.
"""
