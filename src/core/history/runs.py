"""What earlier runs came to, for looking back: per run its tickets, costs and distance from target.

``src.core.history.fold`` makes these records from a run's folded events, ``quick`` from the
texts of a run whose books are plainly closed; both say the same. Money is USD, weights are
fractions of net liq. Slippage is (average fill - quote when sent) x signed quantity, so that what
cost money is positive; None: no quote was recorded, so it is unknown. Named tuples, as they load
faster than dataclasses.

Source: SRS R-606.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Final, NamedTuple

from src.base.json_values import Json
from src.base.money import ZERO, exact_arithmetic

_BPS: Final = Decimal(10_000)
_CASH: Final = "CASH"
_QUOTE_PLACES: Final = Decimal("1e-10")


class PastTicket(NamedTuple):
    """One plan line and what was executed of it, over all attempts.

    ``quote_usd`` is the quote when it was sent. ``commission_usd`` counts what was charged in USD;
    ``commissions_open`` counts executions whose cost is not known in USD. ``error`` and ``notes``
    are read only where one run is looked at whole.
    """

    symbol: str
    side: str
    planned_shares: Decimal
    filled_shares: Decimal
    value_usd: Decimal
    commission_usd: Decimal
    commissions_open: int
    status: str
    quote_usd: Decimal | None = None
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def average_price_usd(self) -> Decimal | None:
        """What a share was traded at; None without an execution."""
        with exact_arithmetic():
            return self.value_usd / self.filled_shares if self.filled_shares else None

    @property
    def quoted_value_usd(self) -> Decimal | None:
        """What was executed, at the quote; None where that is unknown."""
        if not self.filled_shares:
            return ZERO
        if self.quote_usd is None:
            return None
        with exact_arithmetic():
            return self.filled_shares * self.quote_usd

    @property
    def slippage_usd(self) -> Decimal | None:
        """Positive when it cost money; None where it is unknown."""
        quoted = self.quoted_value_usd
        if quoted is None:
            return None
        with exact_arithmetic():
            return self.value_usd - quoted if self.side == "BUY" else quoted - self.value_usd


class Amounts(NamedTuple):
    """What the tickets of a run, or of several, come to; values are without commissions.

    ``quoted_usd`` is what was executed, at the quotes. It and the slippage are None as soon as one
    ticket's are unknown.
    """

    bought_usd: Decimal
    sold_usd: Decimal
    commission_usd: Decimal
    commissions_open: int
    slippage_usd: Decimal | None
    quoted_usd: Decimal | None

    @property
    def slippage_bps(self) -> Decimal | None:
        """In hundredths of a percent of the quoted value; None: unknown, or nothing executed."""
        if self.slippage_usd is None or not self.quoted_usd:
            return None
        with exact_arithmetic():
            return self.slippage_usd * _BPS / self.quoted_usd


class PastRun(NamedTuple):
    """One run of the journal.

    ``orders`` counts those that may have reached the broker. ``drift_before`` and ``drift_after``
    are sums of absolute drift; after: as the account stood when it was over, None: not read.
    ``state`` is closed, declined or open; ``exit_code`` is None while it is open. ``wishes`` are
    those it followed, by name, as the plan's JSON has them. ``net_liq_usd`` is the account's worth
    when it began.
    """

    run_id: str
    account_id: str
    started_utc: datetime
    is_simulated: bool
    state: str
    exit_code: int | None
    orders: int
    net_liq_usd: Decimal
    drift_before: Decimal
    drift_after: Decimal | None
    tickets: tuple[PastTicket, ...]
    amounts: Amounts
    wishes: Mapping[str, Json]


class Sought(NamedTuple):
    """Which runs are looked at; days are UTC days of the runs' start, both inclusive."""

    since: date | None = None
    until: date | None = None
    run_id: str = ""
    is_simulated: bool = False

    def has(self, run: PastRun) -> bool:
        """True when the run is among them."""
        day = run.started_utc.astimezone(timezone.utc).date()
        return (
            run.is_simulated == self.is_simulated
            and (not self.run_id or run.run_id == self.run_id)
            and (self.since is None or self.since <= day)
            and (self.until is None or day <= self.until)
        )


class PastTotal(NamedTuple):
    """Several runs together: those of a month, of an account, or all."""

    name: str
    runs: int
    orders: int
    amounts: Amounts


class History(NamedTuple):
    """Runs in the order they began, and their totals; ``unread`` are sentences about journals."""

    sought: Sought
    runs: tuple[PastRun, ...] = ()
    months: tuple[PastTotal, ...] = ()
    accounts: tuple[PastTotal, ...] = ()
    total: PastTotal | None = None
    unread: tuple[str, ...] = ()


@exact_arithmetic()
def added_up(tickets: Iterable[PastTicket]) -> Amounts:
    """What the tickets of one run come to."""
    of_all = tuple(tickets)
    return Amounts(
        bought_usd=sum((one.value_usd for one in of_all if one.side == "BUY"), ZERO),
        sold_usd=sum((one.value_usd for one in of_all if one.side == "SELL"), ZERO),
        commission_usd=sum((one.commission_usd for one in of_all), ZERO),
        commissions_open=sum(one.commissions_open for one in of_all),
        slippage_usd=_sum_known(one.slippage_usd for one in of_all),
        quoted_usd=_sum_known(one.quoted_value_usd for one in of_all),
    )


@exact_arithmetic()
def mean_quote(parts: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    """The quote that a ticket was traded against, over its attempts: what was executed, at which.

    None where the quote of an attempt that filled is not recorded, or nothing was executed.
    """
    shares, value_usd = ZERO, ZERO
    quotes: set[Decimal] = set()
    for filled_shares, quote_usd in parts:
        if not filled_shares:
            continue
        if quote_usd is None:
            return None
        quotes.add(quote_usd)
        shares += filled_shares
        value_usd += filled_shares * quote_usd
    if len(quotes) == 1:
        return quotes.pop()
    return (value_usd / shares).quantize(_QUOTE_PLACES) if shares else None


@exact_arithmetic()
def distance_from(
    targets: Mapping[str, Decimal], values: Mapping[str, Decimal], net_liq_usd: Decimal
) -> Decimal | None:
    """The sum of absolute drift of an account; ``values`` are USD per symbol, CASH included.

    None where net liq is not positive.
    """
    if net_liq_usd <= ZERO:
        return None
    off = sum(
        (
            abs(values.get(symbol, ZERO) - targets.get(symbol, ZERO) * net_liq_usd)
            for symbol in targets.keys() | values.keys() | {_CASH}
        ),
        ZERO,
    )
    return (off / net_liq_usd).quantize(Decimal("1e-12"))


def _sum_known(values: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for one in values:
        if one is None:
            return None
        total += one
    return total
