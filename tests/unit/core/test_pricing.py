from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from src.core.pricing import MarketMoment, choose_prices, usable_price
from src.core.records import AccountSnapshot, DataKind, PriceBook, Quote, QuoteStage
from src.errors import PricingError
from src.settings import PriceSource, PricingSettings
from tests.builders import NOON_UTC, dec, quote, snapshot

STRICT = PricingSettings(fallback_to_snapshot=False)


def choose(*quotes: Quote, pricing: PricingSettings | None = None) -> PriceBook:
    return choose_prices({"SPY": quotes}, snapshot({}), pricing or PricingSettings(), ["SPY"])


@pytest.mark.parametrize(
    ("source", "price"), [("last", "100"), ("bid", "99"), ("ask", "102"), ("mid", "100.5")]
)
def test_the_wanted_field_counts(source: PriceSource, price: str) -> None:
    assert usable_price(quote("SPY", last=100, bid=99, ask=102), source) == dec(price)


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity", "1.797E+308", "0.000000001"])
def test_what_is_not_a_positive_finite_number_is_no_price(bad: str) -> None:
    assert usable_price(quote("SPY", last=bad), "last") is None
    assert usable_price(quote("SPY", bid=bad, ask=5), "mid") is None


@pytest.mark.parametrize("source", ["bid", "ask", "mid"])
def test_crossed_bid_and_ask_say_nothing(source: PriceSource) -> None:
    assert usable_price(quote("SPY", bid=101, ask=100), source) is None


def test_a_missing_field_falls_back_stage_by_stage_and_says_so() -> None:
    live, stale = quote("SPY", bid=1), quote("SPY", last=90, stage=QuoteStage.SNAPSHOT)
    late = replace(quote("SPY", last=80, stage=QuoteStage.DELAYED), kind=DataKind.DELAYED)
    chosen = choose(live, stale, late).prices["SPY"]
    assert (chosen.price_usd, chosen.source, chosen.is_preferred) == (
        Decimal(90),
        "snapshot last",
        False,
    )
    book = choose(live, late)
    assert book.prices["SPY"].source == "delayed last"
    assert book.warnings == ("delayed prices are used for SPY",)


def test_data_that_is_not_live_is_a_fallback_even_in_the_live_stage() -> None:
    frozen = replace(quote("SPY", last=90), kind=DataKind.FROZEN)
    assert choose(frozen).prices["SPY"].source == "frozen last"
    with pytest.raises(PricingError, match="fallback_to_snapshot is off"):
        choose(frozen, pricing=STRICT)


def test_the_account_price_is_the_last_resort_for_held_symbols() -> None:
    held = with_market_price(snapshot({"SPY": 5}), "77")
    book = choose_prices({}, held, PricingSettings(), ["SPY"])
    assert (book.prices["SPY"].price_usd, book.prices["SPY"].source) == (Decimal(77), "account")
    with pytest.raises(PricingError):
        choose_prices({}, held, STRICT, ["SPY"])


def with_market_price(held: AccountSnapshot, price: str) -> AccountSnapshot:
    priced = tuple(replace(one, market_price_usd=dec(price)) for one in held.positions)
    return replace(held, positions=priced)


def test_every_symbol_without_a_price_is_named_with_the_refusal() -> None:
    refused = replace(quote("IAU"), refusal="354 not subscribed")
    with pytest.raises(PricingError, match=r"IAU \(354 not subscribed\), SPY$"):
        choose_prices({"IAU": (refused,)}, snapshot({}), PricingSettings(), ["SPY", "IAU"])


def test_halted_symbols_are_priced_and_named() -> None:
    assert choose(replace(quote("SPY", last=5), is_halted=True)).halted == {"SPY"}


def test_age_and_spread_are_doubtful_only_while_the_session_is_open() -> None:
    quotes = {"SPY": (quote("SPY", last=100, bid=97, ask=99),)}
    args = (quotes, snapshot({}), PricingSettings(), ["SPY"])
    later = NOON_UTC + timedelta(seconds=61)
    opened = choose_prices(*args, MarketMoment(now_utc=later, open_symbols=frozenset({"SPY"})))
    assert opened.warnings == (
        "prices are older than 60 s while the market is open: SPY (61 s)",
        "bid and ask are more than 2% apart: SPY (97 / 99)",
        "last price is outside bid and ask: SPY (100)",
    )
    assert choose_prices(*args, MarketMoment(now_utc=later)).warnings == ()


def test_prices_are_kept_to_eight_decimals() -> None:
    assert usable_price(quote("SPY", last="1.1234567891"), "last") == Decimal("1.12345679")
