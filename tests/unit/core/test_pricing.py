from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Context, Decimal, localcontext
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.errors import PricingError
from src.base.settings import PriceSource, PricingSettings
from src.core.pricing import MarketMoment, choose_prices, usable_price
from src.core.records.account import AccountSnapshot
from src.core.records.market import DataKind, Price, PriceBook, Quote, QuoteStage
from tests.kits.builders import NOON_UTC, Number, dec, quote, snapshot

SOURCES: tuple[PriceSource, ...] = get_args(PriceSource)
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
    with pytest.raises(PricingError, match=r"fallback_to_snapshot = true \(it is off\)"):
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
    names = ["SPY", "VTI", "IAU", "MGK"]
    quotes = {
        name: (replace(quote(name), refusal="354 not subscribed"),) for name in ("VTI", "IAU")
    }
    with pytest.raises(PricingError) as raised:
        choose_prices(quotes, snapshot({}), PricingSettings(), names)
    assert str(raised.value) == (
        "no usable price (last) for IAU, VTI (354 not subscribed); MGK, SPY (nothing came);"
        " look whether TWS itself shows these prices, then run again"
    )


def came(stage: QuoteStage, kind: DataKind, refusal: str = "", **fields: Number) -> Quote:
    """One stage's answer with these fields, such as ``close_usd``."""
    prices = {name: dec(price) for name, price in fields.items()}
    return replace(quote("MGK", stage=stage), kind=kind, refusal=refusal, **prices)  # type: ignore[arg-type]


REFUSED = came(QuoteStage.LIVE, DataKind.LIVE, "354: not subscribed")
UNTRADED = came(QuoteStage.DELAYED, DataKind.DELAYED, bid_usd=9, ask_usd=11, close_usd=10)


def test_the_fields_that_did_come_and_the_source_that_would_do_are_named() -> None:
    with pytest.raises(PricingError) as raised:
        choose_prices({"MGK": (REFUSED, UNTRADED)}, snapshot({}), PricingSettings(), ["MGK"])
    assert str(raised.value) == (
        "no usable price (last) for MGK (354: not subscribed; delayed bid, ask, close came);"
        " set price_source = close (mid, bid, ask would do too) in [pricing], then run again"
    )


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((came(QuoteStage.LIVE, DataKind.LIVE, close_usd=10),), "(live close came)"),
        ((came(QuoteStage.LIVE, DataKind.LIVE, bid_usd=-1),), "(nothing came)"),
        (
            (came(QuoteStage.LIVE, DataKind.LIVE, bid_usd=11, ask_usd=9),),
            "(live crossed bid and ask came)",
        ),
        (
            (came(QuoteStage.LIVE, DataKind.FROZEN, ask_usd=9), UNTRADED),
            "(frozen ask came; delayed bid, ask, close came)",
        ),
    ],
)
def test_what_came_is_told_by_kind(stages: tuple[Quote, ...], words: str) -> None:
    with pytest.raises(PricingError) as raised:
        choose_prices({"MGK": stages}, snapshot({}), PricingSettings(), ["MGK"])
    assert words in str(raised.value)


FIELDS = st.sampled_from([None, Decimal(-1), Decimal(9), Decimal(10)])
QUOTES = st.builds(
    Quote,
    symbol=st.just("MGK"),
    stage=st.sampled_from(QuoteStage),
    kind=st.sampled_from(DataKind),
    **dict.fromkeys(("bid_usd", "ask_usd", "last_usd", "close_usd"), FIELDS),
)


def has_price(stages: tuple[Quote, ...], pricing: PricingSettings) -> bool:
    try:
        return bool(choose_prices({"MGK": stages}, snapshot({}), pricing, ["MGK"]).prices)
    except PricingError:
        return False


@settings(max_examples=60)
@given(
    wanted=st.sampled_from(SOURCES),
    has_fallback=st.booleans(),
    answers=st.lists(st.lists(QUOTES, max_size=3).map(tuple), min_size=1, max_size=3),
)
def test_a_source_is_named_exactly_where_it_serves_every_symbol_without_a_price(
    wanted: PriceSource, answers: list[tuple[Quote, ...]], *, has_fallback: bool
) -> None:
    pricing = PricingSettings(price_source=wanted, fallback_to_snapshot=has_fallback)
    quotes = dict(zip(("MGK", "SPY", "VTI"), answers, strict=False))
    missing = [stages for stages in answers if not has_price(stages, pricing)]
    try:
        choose_prices(quotes, snapshot({}), pricing, quotes)
    except PricingError as error:
        serving = {
            source
            for source in SOURCES
            if all(has_price(one, pricing._replace(price_source=source)) for one in missing)
        }
        named = re.search(r"set price_source = (\w+)", str(error))
        assert named.group(1) in serving if named else not serving
    else:
        assert not missing


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


def test_the_close_counts_where_it_is_wanted() -> None:
    shut = replace(quote("SPY", last=100, bid=99, ask=102), close_usd=dec("98.5"))
    assert usable_price(shut, "close") == dec("98.5")
    assert usable_price(quote("SPY", last=100), "close") is None


@pytest.mark.parametrize("source", ["bid", "ask", "mid"])
def test_bid_and_ask_that_meet_are_a_price(source: PriceSource) -> None:
    assert usable_price(quote("SPY", bid=100, ask=100), source) == 100


@pytest.mark.parametrize(
    ("last", "text"),
    [
        ("580.25", "580.25"),
        ("100", "100"),
        ("99999999.99", "99999999.99"),
        ("0.00000001", "1E-8"),
        ("100000000", "None"),
    ],
)
def test_a_price_below_100_million_keeps_the_digits_it_came_with(last: str, text: str) -> None:
    assert str(usable_price(quote("SPY", last=last), "last")) == text


def test_a_price_does_not_depend_on_the_precision_in_force() -> None:
    with localcontext(Context(prec=9)):
        price = usable_price(quote("SPY", last="99999999.12345678"), "last")
    assert price == Decimal("99999999.12345678")


def test_a_price_says_everything_about_itself() -> None:
    assert choose(quote("SPY", last=100)).prices["SPY"] == Price(
        symbol="SPY",
        price_usd=Decimal(100),
        source="last",
        is_preferred=True,
        as_of_utc=NOON_UTC,
    )
    held = with_market_price(snapshot({"SPY": 5}), "77")
    assert choose_prices({}, held, PricingSettings(), ["SPY"]).prices["SPY"] == Price(
        symbol="SPY",
        price_usd=Decimal(77),
        source="account",
        is_preferred=False,
        as_of_utc=NOON_UTC,
    )


Asked = tuple[QuoteStage, DataKind]
LIVE = (QuoteStage.LIVE, DataKind.LIVE)
LIVE_BUT_FROZEN = (QuoteStage.LIVE, DataKind.FROZEN)
LIVE_BUT_DELAYED = (QuoteStage.LIVE, DataKind.DELAYED)
SNAPSHOT = (QuoteStage.SNAPSHOT, DataKind.LIVE)
SNAPSHOT_BUT_DELAYED = (QuoteStage.SNAPSHOT, DataKind.DELAYED)
DELAYED = (QuoteStage.DELAYED, DataKind.DELAYED)
DELAYED_BUT_LIVE = (QuoteStage.DELAYED, DataKind.LIVE)
DELAYED_AND_FROZEN = (QuoteStage.DELAYED, DataKind.DELAYED_FROZEN)


@pytest.mark.parametrize(
    ("asked", "taken", "source"),
    [
        ([LIVE_BUT_FROZEN, LIVE], 1, "last"),  # asked again after an outage
        ([LIVE_BUT_FROZEN, SNAPSHOT], 1, "snapshot last"),
        ([LIVE_BUT_DELAYED, SNAPSHOT], 1, "snapshot last"),
        ([DELAYED_AND_FROZEN, DELAYED], 1, "delayed last"),
        ([LIVE_BUT_DELAYED, DELAYED_BUT_LIVE], 1, "delayed last"),
        ([SNAPSHOT, DELAYED_BUT_LIVE], 0, "snapshot last"),
        ([SNAPSHOT_BUT_DELAYED], 0, "delayed last"),
        ([SNAPSHOT_BUT_DELAYED, DELAYED], 0, "delayed last"),
        ([DELAYED_AND_FROZEN], 0, "delayed frozen last"),
    ],
)
def test_among_several_quotes_the_most_timely_counts(
    asked: list[Asked], taken: int, source: str
) -> None:
    quotes = [
        replace(quote("SPY", last=100 + index, stage=stage), kind=kind)
        for index, (stage, kind) in enumerate(asked)
    ]
    chosen = choose(*quotes).prices["SPY"]
    assert (chosen.price_usd, chosen.source) == (Decimal(100 + taken), source)
    assert chosen.is_preferred == (asked[taken] == LIVE)


def test_without_the_fallback_a_missing_price_names_the_switch() -> None:
    with pytest.raises(PricingError) as raised:
        choose(quote("SPY", bid=1), pricing=STRICT)
    assert str(raised.value) == (
        "no usable price (last) for SPY (live bid came); set price_source = bid, or"
        " fallback_to_snapshot = true (it is off) in [pricing], then run again"
    )


def doubts(*quotes: Quote, seconds: int = 0) -> tuple[str, ...]:
    """What is said about SPY's quotes so long after noon, with the session open."""
    moment = MarketMoment(
        now_utc=NOON_UTC + timedelta(seconds=seconds), open_symbols=frozenset({"SPY"})
    )
    return choose_prices({"SPY": quotes}, snapshot({}), PricingSettings(), ["SPY"], moment).warnings


def test_a_price_is_old_after_more_than_60_seconds() -> None:
    assert doubts(quote("SPY", last=100), seconds=60) == ()
    assert len(doubts(quote("SPY", last=100), seconds=61)) == 1


@pytest.mark.parametrize(
    ("bid", "ask", "warns"),
    [
        ("99.99", "100.01", False),
        ("99", "101", False),  # 2% of the middle between them
        ("99", "101.01", True),
        (None, "101", False),
        ("99", None, False),
    ],
)
def test_a_spread_above_2_percent_is_doubtful(
    bid: str | None, ask: str | None, warns: bool
) -> None:
    said = doubts(quote("SPY", last=100, bid=bid, ask=ask))
    text = f"bid and ask are more than 2% apart: SPY ({bid} / {ask})"
    assert said == ((text,) if warns else ())


@pytest.mark.parametrize(
    ("last", "warns"),
    [("99.98", True), ("99.99", False), ("100", False), ("100.01", False), ("100.02", True)],
)
def test_a_last_price_beyond_bid_or_ask_is_doubtful(last: str, warns: bool) -> None:
    said = doubts(quote("SPY", last=last, bid="99.99", ask="100.01"))
    assert said == ((f"last price is outside bid and ask: SPY ({last})",) if warns else ())


def test_bid_and_ask_are_judged_as_one_stage_brought_them_both() -> None:
    half = quote("SPY", last=100, bid=99)
    whole = quote("SPY", bid=90, ask=110, stage=QuoteStage.SNAPSHOT)
    assert doubts(half, whole) == ("bid and ask are more than 2% apart: SPY (90 / 110)",)


def test_every_doubtful_symbol_is_named_also_one_without_a_quote() -> None:
    held = with_market_price(snapshot({"GLD": 1}), "77")
    late = {
        symbol: (replace(quote(symbol, last=9, bid=5, ask=6), kind=DataKind.DELAYED),)
        for symbol in ("IAU", "SPY")
    }
    symbols = ["SPY", "GLD", "IAU"]
    moment = MarketMoment(now_utc=NOON_UTC + timedelta(seconds=75), open_symbols=frozenset(symbols))
    assert choose_prices(late, held, PricingSettings(), symbols, moment).warnings == (
        "delayed prices are used for IAU, SPY",
        "prices are older than 60 s while the market is open: GLD (75 s), IAU (75 s), SPY (75 s)",
        "bid and ask are more than 2% apart: IAU (5 / 6), SPY (5 / 6)",
        "last price is outside bid and ask: IAU (9), SPY (9)",
    )
