"""A plan as a person or a program reads it: tables, totals, the question, JSON."""
