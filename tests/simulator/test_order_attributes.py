"""Every attribute of an order is acted on or refused: what fills has none that was left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import get_args, get_type_hints

import ib_async
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.messages.orders import Order, OrderCondition, TagValue, as_reported
from src.simulator.messages.responses import ErrorMessage, ExecDetails, OrderStatus
from src.simulator.scenario.records import load_scenario
from tests.kits.exchange_kit import Client, codes, only, order, words

ADAPTIVE = (TagValue(tag="adaptivePriority", value="Normal"),)
HINTS: Mapping[str, object] = get_type_hints(Order)
# what a fill must agree with; every other attribute must not have been set at all
AGREEMENTS: Mapping[str, Callable[[Order, ExecDetails], bool]] = {
    "action": lambda asked, fill: fill.side == {"BUY": "BOT", "SELL": "SLD"}[asked.action],
    "total_quantity": lambda asked, fill: fill.cum_qty <= (asked.total_quantity or 0),
    "order_type": lambda asked, _: asked.order_type in ("MKT", "LMT", "MIDPRICE"),
    "lmt_price": lambda asked, fill: not asked.lmt_price
    or (fill.price <= asked.lmt_price if asked.action == "BUY" else fill.price >= asked.lmt_price),
    "tif": lambda asked, _: asked.tif in ("", "DAY", "GTC", "IOC", "FOK"),
    "account": lambda asked, fill: asked.account in ("", fill.account),
    "order_ref": lambda asked, fill: asked.order_ref == fill.order_ref,
    "transmit": lambda asked, _: asked.transmit,
    "outside_rth": lambda _asked, _fill: True,  # regular hours are open in these tests
    "algo_strategy": lambda asked, _: asked.algo_strategy in ("", "Adaptive"),
    "algo_params": lambda asked, _: bool(asked.algo_params) == bool(asked.algo_strategy),
    "what_if": lambda asked, _: not asked.what_if,
}
# what some client library sends by itself
LIBRARIES: Mapping[str, object] = {
    "open_close": "O",
    "e_trade_only": True,
    "firm_quote_only": True,
}
WORDS = st.sampled_from(("", "X", "None", "IB", "O", "C", "DAY", "GTD", "LMT", "20270101 10:00:00"))
NUMBERS = st.none() | st.sampled_from([Decimal(text) for text in ("0", "1", "0.02", "601", "-5")])
VALUES: Mapping[type, st.SearchStrategy[object]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.sampled_from((-1, 0, 1, 3, 100)),
    Decimal: NUMBERS,
    tuple: st.sampled_from(((), (OrderCondition(type=1),))),
}


def _kind(name: str) -> type:
    hint = HINTS[name]
    kinds = [kind for kind in (hint, *get_args(hint)) if kind in VALUES]
    return kinds[0] if kinds and isinstance(kinds[0], type) else tuple


def _is_set(name: str, asked: Order) -> bool:
    """Whether a person has set the attribute: not a default, and not what TWS itself reports."""
    value: object = getattr(asked, name)
    reported = as_reported(Order(order_type=asked.order_type, lmt_price=asked.lmt_price))
    usual = (getattr(Order(), name), getattr(reported, name), LIBRARIES.get(name))
    return bool(value) and value not in usual


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """A healthy order with one to three attributes set to anything."""
    names = draw(st.sets(st.sampled_from(sorted(HINTS)), min_size=1, max_size=3))
    changes = {name: draw(VALUES[_kind(name)]) for name in sorted(names)}
    kind = draw(st.sampled_from(({}, {"order_type": "LMT", "lmt_price": Decimal(601)})))
    return order("BUY", 5, **dict[str, object]({**kind, **changes}))


@given(asked=orders())
def test_an_order_that_fills_has_no_attribute_that_its_fill_contradicts(asked: Order) -> None:
    told = Client().trade(1, asked)
    fills = only(ExecDetails, told)
    unsaid = [name for name in HINTS if name not in AGREEMENTS and _is_set(name, asked)]
    assert not fills or not unsaid
    assert all(agrees(asked, fill) for agrees in AGREEMENTS.values() for fill in fills)


# the first has an error of its own, the second is what the gateway reports of every order
ELSEWHERE = {"parent_id", "dont_use_auto_price_for_hedge", "e_trade_only", "firm_quote_only"}


@pytest.mark.parametrize("name", sorted(set(HINTS) - set(AGREEMENTS) - ELSEWHERE))
def test_an_attribute_that_is_not_simulated_is_refused_by_its_name(name: str) -> None:
    value = {str: "X", bool: True, int: 7, Decimal: Decimal("7.5")}.get(
        _kind(name), (OrderCondition(type=1),)
    )
    told = Client().trade(1, order("BUY", 5, **{name: value}))
    assert words(told) == ["error 321", "status Cancelled 0/5"]
    (error,) = only(ErrorMessage, told)
    spelled = name.replace("_", "").lower()
    assert spelled in error.text.lower()


def test_a_parent_that_does_not_exist_and_an_unknown_type_have_their_own_errors() -> None:
    client = Client()
    assert codes(client.trade(1, order("BUY", 5, parent_id=99))) == [10006]
    assert words(client.trade(2, order("BUY", 5, order_type="XYZ"))) == [
        "error 321",
        "status Cancelled 0/5",
    ]
    assert codes(client.trade(3, order("BUY", 5, order_type="STP", aux_price=Decimal(1)))) == [387]


@pytest.mark.parametrize("unset", [2**31 - 1, 0])
def test_what_libraries_send_by_themselves_is_no_wish(unset: int) -> None:
    sent = order("BUY", 5, auction_strategy=unset, short_sale_slot=unset, **LIBRARIES)
    assert words(Client().trade(1, sent))[-1] == "commission 1.00"


def test_an_order_as_the_gateway_reports_it_can_be_sent_back() -> None:
    client = Client()
    resting = order("BUY", 5, order_type="LMT", lmt_price=Decimal(500), open_close="O")
    client.trade(1, resting)
    changed = as_reported(resting)._replace(lmt_price=Decimal(400))
    assert codes(client.trade(1, changed)) == []


def test_a_refused_change_leaves_the_order_working() -> None:
    client = Client()
    resting = order("BUY", 5, order_type="LMT", lmt_price=Decimal(500))
    client.trade(1, resting)
    told = client.trade(1, resting._replace(all_or_none=True))
    assert codes(told) == [321]
    assert only(OrderStatus, told) == []


def test_ib_async_ends_an_order_that_is_refused() -> None:
    async def run() -> None:
        async with SimulatedGateway(Exchange(load_scenario(), utc_now())) as gateway:
            ib = ib_async.IB()
            await ib.connectAsync(gateway.host, gateway.port, clientId=5, timeout=10)
            spy = ib_async.Stock("SPY", "SMART", "USD", conId=756733)
            plain = ib_async.MarketOrder("BUY", 1, tif="DAY", account="DU1234567", allOrNone=True)
            trade = ib.placeOrder(spy, plain)
            while not trade.isDone():
                await asyncio.wait_for(trade.statusEvent, 10)
            assert trade.fills == []
            assert "allOrNone" in trade.log[1].message
            ib.disconnect()

    asyncio.run(run())
