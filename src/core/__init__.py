"""Pure decisions: no I/O, no clock, no broker library, no settings parser."""
