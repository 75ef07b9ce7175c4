"""The simulated world as data: accounts, contracts, prices, order behaviour, faults, sessions."""
