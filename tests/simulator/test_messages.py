"""The message tables against themselves: what is written is read back, at every version."""

from decimal import Decimal
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.simulator.messages.layout import Layout
from src.simulator.messages.layout_requests import REQUEST_LAYOUTS
from src.simulator.messages.layout_responses import RESPONSE_LAYOUTS
from src.simulator.messages.market import ContractDetails
from src.simulator.messages.orders import ContractKey, Order, OrderState, as_reported
from src.simulator.messages.requests import CancelOrder, PlaceOrder, ReqMktData, Request
from src.simulator.messages.responses import CommissionReport, ErrorMessage, OpenOrder, Response
from src.simulator.messages.tables import (
    NO_ID,
    Refusal,
    format_message,
    parse_request,
    parse_response,
)
from src.simulator.messages.wire import LocalProtocolError, RemoteProtocolError
from tests.simulator.strategies import messages

VERSIONS = (157, 158, 160, 162, 163, 164, 166, 169, 170, 176, 177, 178)
FAST = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _name(layout: Layout) -> str:
    return layout.name


@pytest.mark.parametrize("layout", REQUEST_LAYOUTS, ids=_name)
@FAST
@given(data=st.data())
def test_every_request_survives_the_wire(layout: Layout, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    request = cast("Request", data.draw(messages(layout, version)))
    again = parse_request(format_message(request, version), version)
    assert (type(again), again) == (type(request), request)


@pytest.mark.parametrize("layout", RESPONSE_LAYOUTS, ids=_name)
@FAST
@given(data=st.data())
def test_every_response_survives_the_wire(layout: Layout, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    response = cast("Response", data.draw(messages(layout, version)))
    again = parse_response(format_message(response, version), version)
    assert (type(again), again) == (type(response), response)


def test_message_ids_are_unique_in_each_direction() -> None:
    for layouts in (REQUEST_LAYOUTS, RESPONSE_LAYOUTS):
        assert len({layout.message_id for layout in layouts}) == len(layouts)


def _stock_order(version: int) -> tuple[str, ...]:
    stock = ContractKey(con_id=1, symbol="VTI", sec_type="STK", exchange="SMART", currency="USD")
    order = Order(
        action="BUY",
        total_quantity=Decimal(100),
        order_type="MKT",
        tif="DAY",
        account="DU1",
        shares_allocation="77.0/DU1/100",
    )
    return format_message(
        OpenOrder(
            order_id=13,
            contract=stock,
            order=as_reported(order),
            state=OrderState(status="PreSubmitted"),
            perm_id=77,
        ),
        version,
    )


def test_a_plain_stock_order_has_the_recorded_number_of_fields() -> None:
    assert {version: len(_stock_order(version)) for version in (164, 173, 177, 178)} == {
        164: 131,
        173: 136,
        177: 135,
        178: 135,
    }


def test_a_plain_stock_order_reads_like_the_recorded_one() -> None:
    unset = "1.7976931348623157E308"
    expected = (
        "5|13|1|VTI|STK||0||||USD|||BUY|100|MKT|0.0|0.0|DAY||DU1||0||0|77|0|0|0||77.0/DU1/100"
        "||||||||||0||-1|0||||||2147483647|0|0|0||3|0|0||0|0||0|None||0||||?|0|0||0|0||||||0|0|0"
        "|2147483647|2147483647|||0||IB|0|0||0|0|PreSubmitted|"
        + "|".join([unset] * 9)
        + "||||||0|0|0|None|"
        + "|".join([unset] * 6)
        + "|0||||0|1|0|0|0|||0"
    ).replace("|STK||0||||USD", "|STK||0|||SMART|USD")
    assert "|".join(_stock_order(164)) == expected


def test_contract_details_before_and_after_the_size_rules() -> None:
    stock = ContractKey(con_id=1, symbol="VTI", sec_type="STK", exchange="SMART", currency="USD")
    details = ContractDetails(req_id=5, contract=stock, min_size=Decimal(1), size_increment=None)
    old, middle, new = (format_message(details, version) for version in (162, 163, 164))
    assert old[:3] == ("10", "8", "5")
    assert new[:3] == ("10", "5", "VTI")
    assert (len(old), len(middle), len(new)) == (39, 40, 40)
    assert new[-3:] == ("1", "", "")


def test_unset_values_are_written_as_each_message_has_them() -> None:
    report = CommissionReport(exec_id="e", commission=Decimal("1.00"), currency="USD")
    unset = "1.7976931348623157E308"
    assert format_message(report, 178) == ("59", "1", "e", "1.0", "USD", unset, unset, "")


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000.0"), ("0.10", "0.1"), ("-0.00", "0.0"), ("1E-7", "0.0000001"), ("12.", "12.0")],
)
def test_prices_have_no_exponent_and_one_decimal_at_least(number: str, text: str) -> None:
    report = CommissionReport(exec_id="e", commission=Decimal(number), currency="USD")
    assert format_message(report, 178)[3] == text


def test_a_request_ignores_surplus_fields() -> None:
    assert parse_request(("2", "2", "7", "surplus"), 178) == parse_request(("2", "2", "7"), 178)


@pytest.mark.parametrize("unset", ["", "1.7976931348623157e+308", "1.7976931348623157E308"])
def test_every_spelling_of_unset_is_none(unset: str) -> None:
    fields = list(format_message(_place(), 178))
    fields[fields.index("12.34")] = unset
    placed = parse_request(tuple(fields), 178)
    assert isinstance(placed, PlaceOrder)
    assert placed.order.lmt_price is None


def _place() -> PlaceOrder:
    return PlaceOrder(
        order_id=41,
        contract=ContractKey(symbol="VTI", sec_type="STK"),
        order=Order(action="BUY", order_type="LMT", lmt_price=Decimal("12.34")),
    )


@pytest.mark.parametrize(
    "bad", ["nan", "NaN", "Infinity", "-inf", "1,5", "1e999", "1e-999", "1_0", "٣", "9" * 500]
)
def test_an_unreadable_number_is_refused_for_its_order_only(bad: str) -> None:
    fields = list(format_message(_place(), 178))
    fields[fields.index("12.34")] = bad
    refusal = parse_request(tuple(fields), 178)
    assert isinstance(refusal, Refusal)
    assert (refusal.name, error_of(refusal).id, error_of(refusal).code) == ("PlaceOrder", 41, 320)
    assert "lmt_price" in error_of(refusal).text


def error_of(refusal: Refusal) -> ErrorMessage:
    """The one error that answers a refused request."""
    (error,) = refusal.replies
    assert isinstance(error, ErrorMessage)
    return error


@pytest.mark.parametrize(
    ("fields", "about", "code"),
    [
        (("2", "2", "x"), NO_ID, 320),
        (("2", "2"), NO_ID, 320),
        (("2", "2", "99999999999"), NO_ID, 320),
        (("1", "11", "7", "0", "VTI"), 7, 320),
        (("71", "2", "zero", ""), NO_ID, 320),
        (("9999", "1"), NO_ID, 320),
        (("x",), NO_ID, 320),
        (("",), NO_ID, 320),
        (("10", "5", "3", "0"), 3, 322),
        (("104", "6"), 6, 322),
        (("65", "1"), NO_ID, 322),
        (("88",), NO_ID, 322),
        (("20", "3", "0"), 3, 162),
    ],
)
def test_what_cannot_be_served_is_answered(fields: tuple[str, ...], about: int, code: int) -> None:
    refusal = parse_request(fields, 178)
    assert isinstance(refusal, Refusal)
    assert (error_of(refusal).id, error_of(refusal).code) == (about, code)


def test_a_count_of_sub_records_is_bounded() -> None:
    fields = ("1", "11", "7", *("0", "S", "BAG", *[""] * 9), "1000000000", *["1"] * 50)
    refusal = parse_request(fields, 178)
    assert isinstance(refusal, Refusal)
    assert "combo_legs" in error_of(refusal).text


def test_empty_fields_are_zeros_where_the_protocol_has_them() -> None:
    fields = ("1", "11", "7", *[""] * 12, "", "", "", "", "")
    assert parse_request(fields, 178) == ReqMktData(req_id=7, contract=ContractKey())


def test_the_cancel_time_exists_from_version_169() -> None:
    assert parse_request(("4", "1", "7"), 168) == CancelOrder(order_id=7)
    assert isinstance(parse_request(("4", "1", "7"), 169), Refusal)


def test_values_that_cannot_be_sent_are_our_bug() -> None:
    report = CommissionReport(exec_id="e", commission=Decimal("NaN"), currency="USD")
    with pytest.raises(LocalProtocolError, match="commission"):
        format_message(report, 178)
    with pytest.raises(LocalProtocolError, match="not a message"):
        format_message(cast("Response", object()), 178)
    with pytest.raises(LocalProtocolError, match="code"):
        format_message(ErrorMessage(id=1, code=cast("int", "2"), text=""), 178)


def test_unknown_responses_are_the_peers_mistake() -> None:
    with pytest.raises(RemoteProtocolError, match="unknown message id"):
        parse_response(("77",), 178)
    with pytest.raises(RemoteProtocolError, match="NextValidId"):
        parse_response(("9", "1", "x"), 178)
