"""Which held positions are stubs, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import Refused
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quote, QuoteStage, SymbolLookup
from src.core.stubs import set_stubs_aside
from tests.kits.builders import dec, listing, snapshot

STUB = "XYZ.CNT"
GONE = SymbolLookup(symbol=STUB, listing=None, problem="not known", is_unknown=True)
SEVERAL = replace(GONE, is_unknown=False, problem="several")
KNOWN = SymbolLookup(symbol=STUB, listing=listing(STUB))
REFUSED = Quote(symbol=STUB, stage=QuoteStage.LIVE, refusal="200 no definition")


def held(price: str | None) -> AccountSnapshot:
    """10 SPY and 150 of the stub, at this market price of the account's own."""
    made = snapshot({"SPY": 10, STUB: 150}, 500)
    own = None if price is None else dec(price)
    return replace(
        made,
        positions=tuple(
            replace(one, market_price_usd=own if one.symbol == STUB else None)
            for one in made.positions
        ),
    )


@pytest.mark.parametrize("price", ["0", "0.0001", "0.01"])
@pytest.mark.parametrize("quotes", [{}, {STUB: (REFUSED,)}])
def test_a_worthless_stub_is_left_alone_with_a_note(
    price: str, quotes: dict[str, tuple[Quote, ...]]
) -> None:
    left = set_stubs_aside(held(price), ("SPY",), {STUB: GONE}, quotes)
    assert [one.symbol for one in left.positions] == ["SPY"]
    assert [(one.symbol, one.qty) for one in left.unmanaged] == [(STUB, Decimal(150))]
    assert f"left alone: {STUB} (150 shares, worth" in left.warnings[-1]


@pytest.mark.parametrize(
    ("price", "worth"), [("0.0101", "worth 1.52 USD"), ("3", "worth 450.00"), (None, "unknown")]
)
def test_a_stub_of_worth_or_of_unknown_worth_names_the_way_out(
    price: str | None, worth: str
) -> None:
    with pytest.raises(Refused, match=f"{worth}.*unlisted_positions = keep"):
        set_stubs_aside(held(price), ("SPY",), {STUB: GONE}, {STUB: (REFUSED,)})


@pytest.mark.parametrize("price", ["3", None])
def test_who_keeps_what_no_model_lists_keeps_stubs_of_any_worth(price: str | None) -> None:
    left = set_stubs_aside(held(price), (), {STUB: GONE}, {}, keeps_valuable=True)
    assert [one.symbol for one in left.unmanaged] == [STUB]


@pytest.mark.parametrize(
    ("listed", "lookup", "quote"),
    [
        ((STUB,), GONE, REFUSED),  # a model lists it
        ((), SEVERAL, REFUSED),  # the broker knows it more than once
        ((), KNOWN, REFUSED),  # a missing price alone
        ((), GONE, replace(REFUSED, close_usd=Decimal("0.4"))),  # somebody prices it
        ((), GONE, replace(REFUSED, bid_usd=Decimal("0.01"))),
    ],
)
@pytest.mark.parametrize("price", ["0", "3", None])
def test_nothing_less_makes_a_position_a_stub(
    price: str | None, listed: tuple[str, ...], lookup: SymbolLookup, quote: Quote
) -> None:
    account = held(price)
    assert set_stubs_aside(account, listed, {STUB: lookup}, {STUB: (quote,)}) is account
