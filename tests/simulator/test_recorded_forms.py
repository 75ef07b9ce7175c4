"""Every field comes in the form that live gateways were recorded to send it in.

A form is one word per field: what stands in it is what came, but for these: ``I`` a whole number,
``D`` a number with a point, ``M`` one with two decimals, ``N`` one without needless zeros,
``T`` text, ``t`` a time, ``_`` nothing, ``U`` the largest double, ``X`` the largest int,
``L`` the largest long. Numbers behind a word repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from src.simulator.messages.account import AccountValue, PortfolioValue, Position
from src.simulator.messages.market import ContractDetails, TickPrice, TickSize
from src.simulator.messages.requests import (
    ReqAccountUpdates,
    ReqCompletedOrders,
    ReqContractDetails,
    ReqMktData,
    ReqPositions,
)
from src.simulator.messages.responses import (
    CommissionReport,
    CompletedOrder,
    ExecDetails,
    OpenOrder,
    OrderStatus,
    Response,
)
from src.simulator.messages.tables import format_message
from src.simulator.scenario.records import GatewaySettings
from tests.kits.exchange_kit import ACCOUNT, CALL, SPY, Client, only, order, scenario, stock

TIME = r"20[0-9]{6} [0-9:]{8} [A-Za-z]+[A-Za-z_/ ]*"
WORDS: Mapping[str, str] = {
    "I": r"[0-9]+",
    "D": r"-?[0-9]+\.[0-9]+",
    "M": r"-?[0-9]+\.[0-9]{2}",
    "N": r"-?[0-9]+(\.[0-9]*[1-9])?",
    "T": r".+",
    "t": TIME,
    "_": "",
    "U": r"1\.7976931348623157E308",
    "X": "2147483647",
    "L": "9223372036854775807",
}
_HEAD = "I T STK _ 0 ? _ SMART USD T T"
_TAIL = "0 _ _ _ 0 1 0 0 0 _ _ 0 _ 100 0.02 _ _"
OPEN = (
    f"5 I {_HEAD} T N T D 0.0 T _ T _ 0 T I I 0 0 0 _ T _*8 0 _ -1 0 _*5 X 0 0 0 _ 3 0 0 _ 0 0 _ 0"
    " None _ 0 _ _ _ ? 0 0 _ 0 0 {stop} _*4 0 0 0 X X _ _ 0 _ IB 0 0 _ 0 0 T U*9 {cost} 0 0 0 None"
    " U {stop_or_unset} U*4"
)
COMPLETED = (
    f"101 {_HEAD} T N T D 0.0 T _ T _ 0 T I 0 0 0 _*6 0 _ _ 0 _ -1 _*5 X 0 0 _ 3 0 _ 0 None"
    " _ 0 0 0 _ 0 0 _*3 0 0 0 X X _*3 IB 0 0 _ 0 T 0 0 0 U U 0 1 0 {ends} N X 0"
)
OWNER = "Not an insider or substantial shareholder"
LIMIT = order("BUY", 5, order_type="LMT", lmt_price=Decimal(500), tif="GTC", open_close="O")


def forms(text: str) -> Iterator[str]:
    """The pattern of every field."""
    for word in text.split():
        name, _, times = word.partition("*")
        yield from [WORDS.get(name, re.escape(name))] * int(times or 1)


def assert_form(message: Response, text: str) -> None:
    """All fields of the message, one by one."""
    fields, patterns = format_message(message, 178), list(forms(text))
    wrong = [
        (number, field, pattern)
        for number, (field, pattern) in enumerate(zip(fields, patterns, strict=True))
        if not re.fullmatch(pattern, field)
    ]
    assert wrong == []


def test_an_open_limit_order() -> None:
    opened = only(OpenOrder, Client().trade(1, LIMIT))[-1]
    form = OPEN.format(stop="501.0", cost="_*5", stop_or_unset="501.0")
    assert_form(opened, f"{form} {_TAIL}")


def test_a_filled_market_order_and_its_commission() -> None:
    told = Client().trade(1, order("BUY", 5, open_close="O"))
    opened = only(OpenOrder, told)[-1]
    form = OPEN.format(stop="_", cost="1.0 _ _ USD _", stop_or_unset="U")
    assert_form(opened, f"{form} {_TAIL}")
    for status in only(OrderStatus, told):
        assert_form(status, "3 I T N N N I 0 N I _ 0")
    (fill,) = only(ExecDetails, told)
    assert_form(fill, "11 -1 I I T STK _ 0.0 _ _ T USD T T T t T T BOT N D I I 0 N D T _ _ _ 2 0")
    assert fill.exchange == "IEX", "the venue that filled, not the primary exchange"
    (cost,) = only(CommissionReport, told)
    assert_form(cost, "59 1 T 1.0 USD U U _")


def test_orders_that_ended() -> None:
    client = Client()
    client.trade(1, LIMIT)
    client.cancel(1)
    client.trade(2, order("SELL", 1))
    cancelled, filled = only(CompletedOrder, client.ask(ReqCompletedOrders(api_only=False)))
    for done, ends, parent in ((cancelled, "t", "L"), (filled, "_", "L")):
        fields = format_message(done, 178)
        head = list(forms(COMPLETED.format(ends=ends)))
        tail = [re.escape(OWNER), *forms(f"0 0 {parent} t T _*5")]
        pairs = list(zip(fields, [*head, *tail], strict=True))
        assert [(n, pair) for n, pair in enumerate(pairs) if not re.fullmatch(*pair[::-1])] == []
    assert cancelled.auto_cancel_date == "20251231 21:00:00 UTC", "the close of the next quarter"


def test_a_handshake_zone_of_several_words_is_that_of_ended_orders_too() -> None:
    name = "Central European Standard Time"
    gateway = GatewaySettings(time_zone="Europe/Berlin", time_zone_name=name)
    client = Client(scenario(gateway=gateway))
    client.trade(1, LIMIT)
    client.cancel(1)
    (done,) = only(CompletedOrder, client.ask(ReqCompletedOrders(api_only=False)))
    assert done.auto_cancel_date == f"20251231 22:00:00 {name}"


def test_positions_and_portfolio() -> None:
    client = Client()
    positions = {row.contract.con_id: row for row in only(Position, client.ask(ReqPositions()))}
    assert_form(positions[1], "61 3 T I T STK _ 0.0 _ _ T USD T T N D")
    told = client.ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT))
    portfolio = {row.contract.con_id: row for row in only(PortfolioValue, told)}
    assert_form(portfolio[1], "7 8 I T STK _ 0 0 _ T USD T T N N M D M M T")
    assert portfolio[3].contract.right == CALL.right


@pytest.mark.parametrize(
    ("price", "shown"), [("380.30", "380.2999878"), ("408.56", "408.5599976"), ("600", "600")]
)
def test_market_prices_have_single_precision(price: str, shown: str) -> None:
    contracts = (replace(SPY, price=Decimal(price)), CALL)
    client = Client(scenario(contracts=contracts))
    told = client.ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT))
    row = next(row for row in only(PortfolioValue, told) if row.contract.con_id == SPY.con_id)
    assert row.market_price == Decimal(shown)


def test_account_values() -> None:
    told = Client().ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT))
    rows = only(AccountValue, told)
    keys = {row.key for row in rows}
    assert keys >= {f"LookAhead{key}" for key in ("AvailableFunds", "NextChange", "InitMarginReq")}
    assert {"GrossPositionValue-C", "GrossPositionValue-P"}.isdisjoint(keys)
    assert {row.currency for row in rows if row.key == "AccountOrGroup"} == {"USD", "CAD", "BASE"}
    money = re.compile(r"-?[0-9]+\.[0-9]{2,4}")
    words = {"AccountCode", "AccountOrGroup", "AccountReady", "AccountType", "Currency"}
    words |= {"RealCurrency", "NLVAndMarginInReview", "TradingType-S", "Cushion", "ExchangeRate"}
    words |= {"LookAheadNextChange", "ColumnPrio-P", "ColumnPrio-S"}
    odd = [r for r in rows if r.key not in words and not r.key.startswith("SegmentTitle")]
    assert [row for row in odd if not money.fullmatch(row.value)] == []


def test_ticks_and_contract_details() -> None:
    client = Client()
    told = [*client.ask(ReqMktData(req_id=1, contract=stock())), *client.wait(0)]
    for price in only(TickPrice, told):
        assert_form(price, "1 6 1 I N N 0")
    for size in only(TickSize, told):
        assert_form(size, "2 6 1 I N")
    (details,) = only(ContractDetails, client.ask(ReqContractDetails(req_id=5, contract=stock())))
    assert_form(
        details,
        "10 5 T STK _ 0 _ SMART USD T T T I 0.01 _ T T 1 0 T T _*4 T T T _ _ 0 1 _ _ T _ ETF N N N",
    )
