"""Which price counts for a symbol, and what is doubtful about it.

The preferred field of live data comes first; with the fallback on, the same field of the snapshot,
of delayed data, and for held symbols the account's own market price. A price that is not a
positive finite number is no price, and bid and ask that cross say nothing.

Source: SRS R-206 and F-39 to F-42.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Final

from src.base.errors import PricingError
from src.base.money import ZERO, exact_arithmetic, plain_text
from src.base.settings import PriceSource, PricingSettings
from src.core.records.account import AccountSnapshot
from src.core.records.market import DataKind, Price, PriceBook, Quote, Quotes, QuoteStage
from src.core.records.portfolios import Symbol

ACCOUNT_SOURCE: Final = "account"
_MAX_PRICE_USD: Final = Decimal(10) ** 8
_PLACES: Final = Decimal(1).scaleb(-8)
_WIDE: Final = Context(prec=40)
_WIDE_SPREAD: Final = Decimal("0.02")
_STAGES: Final = tuple(QuoteStage)
_KINDS: Final = tuple(DataKind)
"""Both in order of preference."""
_OLD: Final = timedelta(seconds=60)
_COMPETING: Final = "10197: "
"""How a refusal begins while another session of the login takes the data."""
_OTHER_SOURCES: Final[tuple[PriceSource, ...]] = ("close", "mid", "bid", "ask", "last")
_KIND_TEXT: Final = {
    DataKind.DELAYED: "delayed",
    DataKind.FROZEN: "frozen",
    DataKind.DELAYED_FROZEN: "delayed frozen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMoment:
    """When the prices are judged, and for which symbols the session is open just then."""

    now_utc: datetime
    open_symbols: frozenset[Symbol] = frozenset()


def usable_price(quote: Quote, source: PriceSource) -> Decimal | None:
    """The wanted field of a quote if it can be believed, to 8 decimals; otherwise None."""
    if source == "last":
        return _sane(quote.last_usd)
    if source == "close":
        return _sane(quote.close_usd)
    bid, ask = _sane(quote.bid_usd), _sane(quote.ask_usd)
    if bid is not None and ask is not None and bid > ask:
        bid = ask = None
    if source == "mid":
        return None if bid is None or ask is None else _middle(bid, ask)
    return bid if source == "bid" else ask


def has_any_price(quote: Quote) -> bool:
    """True when any field at all of a quote can be believed."""
    fields = (quote.last_usd, quote.close_usd, quote.bid_usd, quote.ask_usd)
    return any(_sane(price) is not None for price in fields)


def choose_prices(
    quotes: Quotes,
    snapshot: AccountSnapshot,
    pricing: PricingSettings,
    symbols: Collection[Symbol],
    moment: MarketMoment | None = None,
) -> PriceBook:
    """One price per symbol with where it came from.

    Without ``moment`` nothing is said about age and spread, which only mean something while the
    session is open.

    Raises: PricingError naming every symbol without a usable price.
    """
    account_prices = {one.symbol: one.market_price_usd for one in snapshot.positions}
    prices: dict[Symbol, Price] = {}
    missing: dict[Symbol, tuple[Quote, ...]] = {}
    for symbol in sorted(symbols):
        stages = quotes.get(symbol, ())
        price = _best_price(symbol, stages, pricing)
        if price is None and pricing.fallback_to_snapshot:
            price = _account_price(symbol, account_prices.get(symbol), snapshot.as_of_utc)
        if price is None:
            missing[symbol] = stages
        else:
            prices[symbol] = price
    if missing:
        raise PricingError(_no_price(missing, pricing))
    return PriceBook(
        prices=prices,
        halted=frozenset(s for s in prices if any(q.is_halted for q in quotes.get(s, ()))),
        warnings=_warnings(prices, quotes, pricing, moment),
    )


def _best_price(symbol: Symbol, stages: Iterable[Quote], pricing: PricingSettings) -> Price | None:
    """The first usable quote; live ones before others whatever stage brought them."""
    wanted = pricing.price_source
    usable = ((quote, usable_price(quote, wanted)) for quote in stages)
    found = [(quote, price) for quote, price in usable if price is not None]
    if len(found) > 1:
        found.sort(key=lambda pair: _preference(pair[0]))
    for quote, price in found:
        preferred = _is_preferred(quote)
        if preferred or pricing.fallback_to_snapshot:
            return Price(
                symbol=symbol,
                price_usd=price,
                source=_source_text(quote, wanted),
                is_preferred=preferred,
                as_of_utc=quote.as_of_utc,
            )
    return None


def _account_price(symbol: Symbol, price: Decimal | None, as_of_utc: datetime) -> Price | None:
    usable = _sane(price)
    if usable is None:
        return None
    return Price(
        symbol=symbol,
        price_usd=usable,
        source=ACCOUNT_SOURCE,
        is_preferred=False,
        as_of_utc=as_of_utc,
    )


def _preference(quote: Quote) -> tuple[int, int]:
    return _KINDS.index(quote.kind), _STAGES.index(quote.stage)


def _is_preferred(quote: Quote) -> bool:
    return quote.stage is QuoteStage.LIVE and quote.kind is DataKind.LIVE


def _source_text(quote: Quote, wanted: PriceSource) -> str:
    kind = _KIND_TEXT.get(quote.kind, "")
    if not kind and quote.stage is not QuoteStage.LIVE:
        kind = quote.stage.value
    return f"{kind} {wanted}".strip()


def _sane(price: Decimal | None) -> Decimal | None:
    """The price to 8 decimals if it is finite, positive and below 100 million."""
    if price is None or not price.is_finite() or not ZERO < price < _MAX_PRICE_USD:
        return None
    rounded = price.quantize(_PLACES, context=_WIDE)
    return (price if rounded == price else rounded) or None


@exact_arithmetic()
def _middle(bid: Decimal, ask: Decimal) -> Decimal:
    return ((bid + ask) / 2).quantize(_PLACES)


# --- what to say ----------------------------------------------------------------------------


def _no_price(missing: Mapping[Symbol, tuple[Quote, ...]], pricing: PricingSettings) -> str:
    """Every symbol with why, those with the same reason together, and what would help."""
    by_reason: dict[str, list[Symbol]] = {}
    for symbol, stages in missing.items():
        by_reason.setdefault(_reason(stages), []).append(symbol)
    named = "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
    return f"no usable price ({pricing.price_source}) for {named}; {_remedy(missing, pricing)}"


def _reason(stages: Iterable[Quote]) -> str:
    """What the broker said about it, and which fields did come."""
    came: dict[DataKind, dict[str, None]] = {}
    refusal = ""
    for quote in stages:
        refusal = refusal or quote.refusal
        came.setdefault(quote.kind, {}).update(dict.fromkeys(_fields_of(quote)))
    shown = [_joined(kind, names) for kind, names in came.items() if names]
    return "; ".join(text for text in (refusal, *shown) if text) or "nothing came"


def _joined(kind: DataKind, names: Iterable[str]) -> str:
    return f"{_KIND_TEXT.get(kind, 'live')} {', '.join(names)} came"


def _fields_of(quote: Quote) -> list[str]:
    """The fields that can be believed; both of bid and ask that cross are named as that."""
    sources: tuple[PriceSource, ...] = ("last", "bid", "ask", "close")
    found: list[str] = [one for one in sources if usable_price(quote, one) is not None]
    both = _sane(quote.bid_usd) is not None and _sane(quote.ask_usd) is not None
    return ["crossed bid and ask", *found] if both and "bid" not in found else found


def _remedy(missing: Mapping[Symbol, tuple[Quote, ...]], pricing: PricingSettings) -> str:
    """The settings that would do for all of them; failing that where to look."""
    ways = [] if pricing.fallback_to_snapshot else ["fallback_to_snapshot = true (it is off)"]
    would_do = [one for one in _OTHER_SOURCES if _serves_all(missing, pricing, one)]
    if would_do:
        others = f" ({', '.join(would_do[1:])} would do too)" if would_do[1:] else ""
        ways.insert(0, f"price_source = {would_do[0]}{others}")
    if ways:
        return f"set {', or '.join(ways)} in [pricing], then run again"
    if any(quote.refusal.startswith(_COMPETING) for quotes in missing.values() for quote in quotes):
        return "end the other session of this login (a phone, a second TWS), then run again"
    return "look whether TWS itself shows these prices, then run again"


def _serves_all(
    missing: Mapping[Symbol, tuple[Quote, ...]], pricing: PricingSettings, source: PriceSource
) -> bool:
    other = pricing._replace(price_source=source)
    return all(_best_price(symbol, stages, other) for symbol, stages in missing.items())


def _warnings(
    prices: Mapping[Symbol, Price],
    quotes: Quotes,
    pricing: PricingSettings,
    moment: MarketMoment | None,
) -> tuple[str, ...]:
    texts = [_delayed(prices)]
    if moment is not None:
        shown = {symbol: prices[symbol] for symbol in prices if symbol in moment.open_symbols}
        texts.append(_aged(shown, moment.now_utc))
        texts.append(_wide(shown, quotes))
        if pricing.price_source == "last":
            texts.append(_outside(shown, quotes))
    return tuple(text for text in texts if text)


def _delayed(prices: Mapping[Symbol, Price]) -> str:
    late = [symbol for symbol, price in prices.items() if price.source.startswith("delayed")]
    return f"delayed prices are used for {', '.join(late)}" if late else ""


def _aged(prices: Mapping[Symbol, Price], now_utc: datetime) -> str:
    ages = {s: now_utc - p.as_of_utc for s, p in prices.items() if p.as_of_utc is not None}
    old = [f"{s} ({int(age.total_seconds())} s)" for s, age in ages.items() if age > _OLD]
    return f"prices are older than 60 s while the market is open: {', '.join(old)}" if old else ""


def _wide(prices: Iterable[Symbol], quotes: Quotes) -> str:
    wide = []
    for symbol in prices:
        bid, ask = _bid_and_ask(quotes.get(symbol, ()))
        if bid is not None and ask is not None and (ask - bid) * 2 > _WIDE_SPREAD * (ask + bid):
            wide.append(f"{symbol} ({plain_text(bid)} / {plain_text(ask)})")
    return f"bid and ask are more than 2% apart: {', '.join(wide)}" if wide else ""


def _outside(prices: Mapping[Symbol, Price], quotes: Quotes) -> str:
    outside = []
    for symbol, price in prices.items():
        bid, ask = _bid_and_ask(quotes.get(symbol, ()))
        if bid is not None and ask is not None and not bid <= price.price_usd <= ask:
            outside.append(f"{symbol} ({plain_text(price.price_usd)})")
    return f"last price is outside bid and ask: {', '.join(outside)}" if outside else ""


def _bid_and_ask(stages: Iterable[Quote]) -> tuple[Decimal | None, Decimal | None]:
    for quote in stages:
        bid, ask = usable_price(quote, "bid"), usable_price(quote, "ask")
        if bid is not None and ask is not None:
            return bid, ask
    return None, None
