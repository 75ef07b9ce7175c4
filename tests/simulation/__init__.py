"""The seeded simulation: random accounts and faults, the whole program, in virtual time."""
