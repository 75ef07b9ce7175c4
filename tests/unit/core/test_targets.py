from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import ConfigError, PlanError, Refused
from src.base.settings import RebalanceSettings
from src.core.records.account import UnmanagedPosition
from src.core.records.portfolios import CASH
from src.core.targets import (
    apply_unlisted,
    build_targets,
    cash_floor,
    hold_buffer,
    symbols_to_price,
    unlisted_symbols,
)
from tests.kits.builders import (
    Number,
    account,
    con_id,
    dec,
    portfolios,
    rebalance_settings,
    snapshot,
    targets,
)

HALF = Decimal("0.5")


def test_models_are_mixed_by_weight_and_a_missing_symbol_counts_as_zero() -> None:
    files = portfolios({"SMURF": {"SPY": 60, "IAU": 40}, "BADASS": {"SPY": 20, "BLOK": 80}})
    mixed = build_targets(files, {"smurf": Decimal("0.75"), "Badass": Decimal("0.25")})
    assert mixed.weights == {
        "BLOK": Decimal("0.2"),
        CASH: 0,
        "IAU": Decimal("0.3"),
        "SPY": HALF,
    }


@pytest.mark.parametrize("cash", ["10", "-50", "100"])
def test_cash_is_mixed_like_an_asset(cash: str) -> None:
    assets = {"SPY": 100 - dec(cash)}
    files = portfolios({"A": {**assets, CASH: cash}, "B": {"SPY": 100}})
    mixed = build_targets(files, {"A": HALF, "B": HALF})
    assert mixed.weights[CASH] == dec(cash) / 200
    assert sum(mixed.weights.values()) == 1


def test_columns_and_mix_are_divided_by_their_own_sums() -> None:
    files = portfolios({"A": {"SPY": "33.33", "IAU": "33.33", "GLD": "33.33"}})
    mixed = build_targets(files, {"A": Decimal("1.001")})
    assert abs(mixed.weights["SPY"] - Decimal(1) / 3) < Decimal("1e-20")
    assert abs(sum(mixed.weights.values(), Decimal(0)) - 1) < Decimal("1e-9")


def test_names_that_do_not_match_are_refused() -> None:
    files = portfolios({"A": {"SPY": 100}})
    with pytest.raises(ConfigError, match="a, b"):
        build_targets(files, {"B": Decimal(1)})


@pytest.mark.parametrize(
    ("cash", "buffer_pct", "effective"),
    [
        ("0", "1", "0.01"),  # the buffer is the floor of the CASH target
        ("5", "1", "0.05"),  # the model keeps more anyway
        ("-50", "1", "-0.49"),  # borrowing, less the buffer
        ("100", "1", "1"),  # all cash
        ("0", "0", "0"),
    ],
)
def test_the_buffer_is_a_floor_of_cash(cash: str, buffer_pct: str, effective: str) -> None:
    plain = targets({"SPY": (100 - dec(cash)) * HALF, "IAU": (100 - dec(cash)) * HALF, CASH: cash})
    held = hold_buffer(
        plain, account({}, {"SPY": 10}, 1000), rebalance_settings(buffer_pct=buffer_pct)
    )
    assert held.weights[CASH] == dec(effective)
    assert held.weights["SPY"] == held.weights["IAU"] == (1 - dec(effective)) / 2


def test_a_buffer_in_dollars_is_a_share_of_net_liq() -> None:
    rules = RebalanceSettings(cash_buffer_type="abs", cash_buffer_usd=Decimal(250))
    held = hold_buffer(targets({"SPY": 100}), account({"SPY": 50}, {"SPY": 10}, 500), rules)
    assert held.weights == {"SPY": Decimal("0.75"), CASH: Decimal("0.25")}


def test_a_reserve_that_is_not_below_net_liq_is_refused_with_both_figures() -> None:
    rules = RebalanceSettings(cash_buffer_type="abs", cash_buffer_usd=Decimal(1000))
    with pytest.raises(PlanError, match=r"1000\.00 USD is not below net liq, 1000\.00 USD"):
        hold_buffer(targets({"SPY": 100}), account({"SPY": 50}, {"SPY": 10}, 500), rules)


@pytest.mark.parametrize(
    ("effective", "cap", "floor"),
    [
        ("0.05", "1.5", 10),  # more cash wanted than the 1% reserve: the reserve is the floor
        ("0.01", "1.5", 10),
        ("-0.29", "1.5", -290),  # model CASH −30% plus the reserve
        ("-0.29", "1.2", -200),  # the leverage cap binds first
    ],
)
def test_the_cash_floor_joins_buffer_and_leverage_cap(effective: str, cap: str, floor: int) -> None:
    rules = rebalance_settings(buffer_pct=1, max_leverage=cap)
    assert cash_floor(dec(effective), Decimal(1000), rules) == floor


def test_held_and_targeted_symbols_need_a_price() -> None:
    wanted = targets({"SPY": 60, "IAU": 0, "GLD": 40})
    assert symbols_to_price(snapshot({"XYZ": 1, "SPY": 2, "OLD": 0}), wanted) == (
        "GLD",
        "SPY",
        "XYZ",
    )


def test_unlisted_positions_are_sold_kept_or_stop_the_run() -> None:
    held = snapshot({"SPY": 1, "XYZ": 2}, 10)
    assert unlisted_symbols(held, ["SPY"]) == {"XYZ"}
    assert apply_unlisted(held, ["SPY"], RebalanceSettings()) == held
    kept = apply_unlisted(held, ["SPY"], RebalanceSettings(unlisted_positions="keep"))
    assert [one.symbol for one in kept.positions] == ["SPY"]
    assert [(one.symbol, one.qty, one.sec_type) for one in kept.unmanaged] == [
        ("XYZ", Decimal(2), "STK")
    ]
    with pytest.raises(Refused, match="XYZ"):
        apply_unlisted(held, ["SPY"], RebalanceSettings(unlisted_positions="abort"))


@pytest.mark.parametrize(
    ("column", "mix", "problem"),
    [
        ({"SPY": 100}, {"A": 0, "B": 0}, "weights sum to 0: the mix"),
        ({"SPY": 100}, {"A": 1, "B": -1}, "weights sum to 0: the mix"),
        ({"SPY": 0, CASH: 0}, {"A": HALF, "B": HALF}, "weights sum to 0: a, b"),
        ({"SPY": 50, CASH: -50}, {"A": HALF, "B": HALF}, "weights sum to 0: a, b"),
        (
            {"SPY": 100},
            {"A": 1, "C": 1},
            "settings and portfolios file do not name the same models: b, c",
        ),
    ],
)
def test_models_that_cannot_be_mixed_are_refused_with_the_place_to_look(
    column: dict[str, Number], mix: dict[str, Number], problem: str
) -> None:
    files = portfolios({"A": column, "B": column})
    with pytest.raises(ConfigError) as raised:
        build_targets(files, {name: dec(weight) for name, weight in mix.items()})
    assert [str(one) for one in raised.value.problems] == [f"[models]: {problem}"]


def test_unlisted_positions_stop_the_run_with_the_ways_out() -> None:
    held = snapshot({"XYZ": 2, "SPY": 1, "OLD": 3})
    with pytest.raises(Refused) as raised:
        apply_unlisted(held, ["SPY"], RebalanceSettings(unlisted_positions="abort"))
    assert str(raised.value) == (
        "held but in no model: OLD, XYZ; add them to the portfolios file, or set "
        "unlisted_positions to sell or keep in [rebalance]"
    )


@pytest.mark.parametrize(("price", "value"), [("12.5", Decimal(25)), (None, None)])
def test_a_kept_position_is_worth_what_the_broker_says(
    price: str | None, value: Decimal | None
) -> None:
    held = snapshot({"XYZ": 2})
    market = None if price is None else dec(price)
    held = replace(held, positions=(replace(held.positions[0], market_price_usd=market),))
    kept = apply_unlisted(held, ["SPY"], RebalanceSettings(unlisted_positions="keep"))
    assert kept.unmanaged == (
        UnmanagedPosition(
            con_id=con_id("XYZ"),
            symbol="XYZ",
            sec_type="STK",
            currency="USD",
            qty=Decimal(2),
            value=value,
        ),
    )


@pytest.mark.parametrize(("effective", "floor"), [("0.5", 250), ("0.25", 250), ("-0.1", -100)])
def test_a_buffer_in_dollars_is_the_cash_floor(effective: str, floor: int) -> None:
    rules = RebalanceSettings(cash_buffer_type="abs", cash_buffer_usd=Decimal(250))
    assert cash_floor(dec(effective), Decimal(1000), rules) == floor
