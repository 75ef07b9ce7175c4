"""The version of the journal's event records, apart from them, so that a glance loads no record."""

from typing import Final

SCHEMA_VERSION: Final = 1
"""Version of the event records; a journal of another version is refused, never guessed at.

A field with a default may be added without a new version: older journals lack it.
"""
