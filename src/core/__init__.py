"""Pure decisions: no I/O, no clock, no broker library, no settings parser.

The modules directly here are the planning line, in this order: ``targets``, ``pricing``,
``valuation``, ``drift``, ``sizing``, ``preview``. Each folder is one subject beside or below it.
"""
