"""How a portfolio CSV is read: its form, its rows, its cells, and what else it may look like."""
