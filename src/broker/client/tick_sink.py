"""What one open quote takes from the stream of messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol


class TickSink(Protocol):
    """One open quote; gets what carries its request id and nothing else."""

    def on_price(self, tick_type: int, price: Decimal | None) -> None:
        """A price field; None when the broker says there is none."""

    def on_number(self, tick_type: int, value: Decimal | None) -> None:
        """A generic field such as "halted"."""

    def on_text(self, tick_type: int, value: str) -> None:
        """A text field such as the time of the last trade."""

    def on_kind(self, market_data_type: int) -> None:
        """The kind of data the broker grants."""

    def on_end(self) -> None:
        """The end of a snapshot."""

    def on_error(self, code: int, text: str) -> None:
        """A refusal or notice for this quote."""
