"""The buys once the sells have ended: quotes read then, cash proven, quantities cut to fit.

A sell may take as long as ``order_timeout_sec``, and prices move meanwhile. So the quotes of what
is to be bought are read after the last sell has ended, and the cash floor (buffer and leverage
cap) is computed anew at them. A buy for which no price can be read then is not sent: at a price
of before it could break the cap in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from src.base.errors import PricingError
from src.base.money import ZERO
from src.core.cash_effects import cash_effect
from src.core.pricing import choose_prices
from src.core.records.account import AccountSnapshot
from src.core.records.portfolios import Symbol
from src.core.running.fit import fit_buys, how_many_go, refuse
from src.core.running.moves import emit, queue, say, seconds
from src.core.running.parts import Means, Run, Stage
from src.core.running.words import Call, ReadQuotes, RunCommand

NO_PRICE: Final = "no usable price could be read just before it was to be sent"
_FRESH: Final = timedelta(seconds=5)
_READING_SLACK: Final = timedelta(seconds=20)
_FUNDS_LIMIT: Final = timedelta(seconds=15)
_MOST_ROUNDS: Final = 3


def begin_buys(run: Run, lines: tuple[int, ...], *, after_sells: bool) -> Run:
    """Cut these buys to the budget at prices of now, and send those that are left, by rank.

    ``after_sells``: an order has ended since the prices were read.
    """
    run, means = run._replace(rest=lines, means=replace(run.means, rounds=0)), run.means
    if after_sells and means.spendable_usd is not None:
        return _read(run, Stage.FUNDS, Call.READ_ACCOUNT, _FUNDS_LIMIT)
    needs_asks = means.spendable_usd is not None and not means.dearest
    if after_sells or needs_asks or run.moment.elapsed - means.read_at > _FRESH:
        return run._replace(stage=Stage.CONNECTION)
    return _send_fitted(run)


def take_funds(run: Run) -> Run:
    """What may be spent without the sells' proceeds, as the broker says once they are done.

    Where it does not say, what it said before the sells, less what they cost.
    """
    account = run.account_read
    before_usd = run.means.spendable_usd or ZERO
    if account is None or account.terms.available_funds_usd is None:
        run = say(run, "what can be spent after the sells could not be read", "warning")
        costs_usd = cash_effect(replace(fill, price_usd=ZERO) for fill in run.fills)
        spendable_usd = max(ZERO, before_usd + costs_usd)
    else:
        proven_usd = run.terms.before.cash_usd + cash_effect(run.fills)
        available_usd = account.terms.available_funds_usd
        text = f"settled cash read available_usd={available_usd} cash_usd={proven_usd}"
        run, spendable_usd = say(run, text), max(ZERO, min(available_usd, proven_usd))
    means = replace(run.means, spendable_usd=spendable_usd)
    return run._replace(stage=Stage.CONNECTION, means=means)


def read_quotes(run: Run) -> Run:
    """The connection is there, or the run sends nothing more."""
    if run.halt_reason:
        return _send_fitted(run)
    means = replace(run.means, read_at=run.moment.elapsed, gaps=run.gap.count)
    command = ReadQuotes(symbols=_symbols(run))
    return _read(run._replace(means=means), Stage.QUOTES, command, _limit(run))


def take_quotes(run: Run) -> Run:
    """What the quotes tell; where they lack, the account's own prices are read next."""
    quotes = (run.read and run.read.quotes) or {}
    run = run._replace(means=replace(run.means, quotes=quotes, prices={}))
    account = replace(run.terms.before, positions=())
    run = _with_prices(run, _symbols(run), account)
    may_ask = run.terms.settings.pricing.fallback_to_snapshot and not run.halt_reason
    if may_ask and any(symbol not in run.means.prices for symbol in _symbols(run)):
        return _read(run, Stage.PRICES, Call.READ_ACCOUNT, _limit(run))
    return _weigh_prices(run)


def take_account_prices(run: Run) -> Run:
    """The account's own prices of what has no quote count when just read."""
    account = run.account_read
    if account is not None:
        missing = [symbol for symbol in _symbols(run) if symbol not in run.means.prices]
        run = _with_prices(run, missing, account)
    return _weigh_prices(run)


def _read(run: Run, stage: Stage, command: RunCommand, limit: timedelta) -> Run:
    until = run.moment.elapsed + limit
    return emit(run._replace(stage=stage, read=None, until=until), command)


def _limit(run: Run) -> timedelta:
    return seconds(Decimal(run.terms.settings.pricing.price_timeout_sec)) + _READING_SLACK


def _symbols(run: Run) -> tuple[Symbol, ...]:
    return tuple(run.ticket(line).ticket.symbol for line in run.rest)


def _with_prices(run: Run, symbols: Iterable[Symbol], account: AccountSnapshot) -> Run:
    """The usable price of each symbol by the quotes, or by the prices of this account."""
    pricing, found, without = run.terms.settings.pricing, {}, {}
    for symbol in symbols:
        try:
            book = choose_prices(run.means.quotes, account, pricing, (symbol,))
        except PricingError as error:
            run = say(run, f"no price for a buy: {error}", "warning")
            without[symbol] = f"{error} (read just before it was to be sent)"
            continue
        found[symbol] = book.prices[symbol].price_usd
    prices, no_price = {**run.means.prices, **found}, {**run.means.no_price, **without}
    return run._replace(means=replace(run.means, prices=prices, no_price=no_price))


def _weigh_prices(run: Run) -> Run:
    """Again, when the connection had a gap meanwhile; else a buy without a price is not sent."""
    run = run._replace(means=_weighed(run.means))
    is_whole = run.gap.count == run.means.gaps and run.link.is_usable
    if run.halt_reason:
        return _send_fitted(run)
    if not is_whole and run.means.rounds < _MOST_ROUNDS:
        return run._replace(stage=Stage.CONNECTION)
    for line, symbol in zip(run.rest, _symbols(run), strict=True):
        if symbol not in run.means.prices:
            run = refuse(run, line, run.means.no_price.get(symbol, NO_PRICE))
    return _send_fitted(run)


def _weighed(means: Means) -> Means:
    halted = frozenset(
        symbol for symbol, quotes in means.quotes.items() if any(one.is_halted for one in quotes)
    )
    dearest = {**means.dearest, **_asks(means)}
    return replace(means, dearest=dearest, halted=halted, rounds=means.rounds + 1)


def _asks(means: Means) -> Mapping[Symbol, Decimal]:
    """What each may cost at most; of a buy in doubt, the ask that it was sent at stays."""
    return {
        symbol: max([usd, *(one.ask_usd for one in means.quotes.get(symbol, ()) if one.ask_usd)])
        for symbol, usd in means.prices.items()
    }


def _send_fitted(run: Run) -> Run:
    if not run.halt_reason:  # else each is skipped, with that reason
        run = fit_buys(run, run.rest)
        run = run._replace(rest=tuple(one for one in run.rest if not run.ticket(one).skip_reason))
    at_once = how_many_go(run, run.rest)
    lines, rest = run.rest[:at_once], run.rest[at_once:]
    return queue(run._replace(stage=Stage.BUYS, rest=rest, until=None), lines)
