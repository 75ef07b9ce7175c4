"""Accounts worked out by hand, planned by the whole command from a snapshot file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from src.base.errors import ExitCode
from tests.commands.kit import ACCOUNT, Workplace


def planned(
    place: Workplace,
    held: Mapping[str, float],
    prices: Mapping[str, float],
    cash: float,
    model: Mapping[str, str],
    *settings: str,
) -> tuple[dict[str, list[dict[str, object]]], str]:
    """The plan as JSON, and the preview; each run must end well."""
    snapshot = {
        "account_id": ACCOUNT,
        "cash_usd": cash,
        "positions": [{"symbol": symbol, "qty_shares": qty} for symbol, qty in held.items()],
        "prices": prices,
    }
    Path("held.json").write_text(json.dumps(snapshot), encoding="utf-8")
    rows = "".join(f"{symbol},{weight}\n" for symbol, weight in model.items())
    Path("model.csv").write_text(f"ETF,ALL\n{rows}", encoding="utf-8")
    lines = ("[ibkr]", f"account_id = {ACCOUNT}", "[models]", "ALL = 1", "[rebalance]", *settings)
    Path("own.ini").write_text("\n".join(lines), encoding="utf-8")
    flags = ("--from-snapshot", "held.json", "--config", "own.ini", "--csv", "model.csv")
    document, shown = place.run(*flags, "--json"), place.run(*flags)
    assert (document.code, shown.code) == (ExitCode.OK, ExitCode.OK)
    return json.loads(document.out), " ".join(shown.out.split())


def codes(document: Mapping[str, list[dict[str, object]]]) -> dict[object, object]:
    return {one["symbol"]: one["code"] for one in document["skipped"]}


def orders(document: Mapping[str, list[dict[str, object]]]) -> dict[object, object]:
    return {one["symbol"]: (one["side"], one["qty_shares"]) for one in document["tickets"]}


def test_a_deposit_within_every_band_is_invested(place: Workplace) -> None:
    """Eight funds of 12 500 and a deposit of 2 500: each is 0.3% short, CASH 2.4% over."""
    names = [f"F{number}" for number in range(8)]
    document, shown = planned(
        place,
        dict.fromkeys(names, 123.75),
        dict.fromkeys(names, 100),
        3_500,
        {**dict.fromkeys(names, "12.5%"), "CASH": "0%"},
    )
    assert set(orders(document).values()) == {("BUY", 5)}
    assert document["drift"][0]["symbol"] == "CASH"
    after = document["drift"][0]["after_wt_pct"]
    assert isinstance(after, float)
    assert 1 <= after <= 1.5
    assert "Outside its limit" not in shown


def test_what_no_order_can_mend_is_said_above_the_plan_s_hash(place: Workplace) -> None:
    """The same with a minimum of 700: an order of it would overshoot each fund's 309 by more."""
    names = [f"F{number}" for number in range(8)]
    document, shown = planned(
        place,
        dict.fromkeys(names, 123.75),
        dict.fromkeys(names, 100),
        3_500,
        {**dict.fromkeys(names, "12.5%"), "CASH": "0%"},
        "min_order_usd = 700",
    )
    said = (
        "cash stays $2,475.00 above its target of $1,025.00: no order of at least $700.00 in whole "
        "shares brings a holding closer; try --invest"
    )
    assert document["tickets"] == []
    assert said in str(document["warnings"])
    assert f"Outside its limit after this plan: - {said} Plan " in shown


def test_every_trade_that_is_left_out_says_truly_why(place: Workplace) -> None:
    held = {"BIG": 10, "HALF": 0.5, "BRK": 2, "SPY": 100}
    prices = {"BIG": 90, "HALF": 2_000, "BRK": 5_000, "SPY": 500}
    document, _ = planned(
        place,
        held,
        prices,
        620,
        {"BIG": "0%", "BRK": "13.5%", "SPY": "85.5%", "CASH": "1%"},
        "min_order_usd = 1000",
    )
    assert document["tickets"] == []
    assert codes(document) == {
        "SPY": "cash",
        "BRK": "share_price",
        "HALF": "fraction",
        "BIG": "minimum",
    }


def test_all_cash_that_is_not_reached_is_not_called_everything(place: Workplace) -> None:
    held, prices = {"AAA": 10.5, "BBB": 4}, {"AAA": 100, "BBB": 100}
    document, shown = planned(
        place, held, prices, 0, {"AAA": "", "BBB": "", "CASH": "100%"}, "min_order_usd = 500"
    )
    assert orders(document) == {"AAA": ("SELL", 10)}
    assert codes(document) == {"BBB": "minimum"}
    assert "the target is 100% CASH: everything is sold but 0.5 AAA, 4 BBB" in shown
    assert "Target 0 in the models: - AAA: 10 shares, $1,000.00" in shown
