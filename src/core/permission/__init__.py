"""Who may trade, and what may pass: guards, the permit, the second look, the gate at the socket.

Start with ``permit``. No order without one.
"""
