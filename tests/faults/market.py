"""A small account whose plan is always the same: sell AAA and BBB, then buy CCC and DDD."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from src.simulator.scenario.records import (
    AccountSetup,
    ContractSetup,
    OrderBehaviour,
    OrderRule,
    PositionSetup,
    Scenario,
)

ACCOUNT: Final = "DU1234567"
CLIENT_ID: Final = 42
PRICES: Final = {"AAA": 100, "BBB": 50, "CCC": 25, "DDD": 200}
HELD: Final = {"AAA": 100, "BBB": 100}
CASH_USD: Final = 5000
PLAN: Final = {"AAA": -50, "BBB": -60, "CCC": 240, "DDD": 30}
"""Signed shares; sells in this order, then buys."""

PORTFOLIO: Final = "ETF,ONE\nAAA,25%\nBBB,10%\nCCC,30%\nDDD,30%\nCASH,5%\n"


def market(*rules: OrderRule, **changes: object) -> Scenario:
    """Four ETFs without spread, market orders filled after 20 ms; ``rules`` disturb some."""
    values: dict[str, object] = {
        "accounts": (account(),),
        "contracts": tuple(
            ContractSetup(con_id=11 + n, symbol=name, price=Decimal(price), spread=Decimal(0))
            for n, (name, price) in enumerate(PRICES.items())
        ),
        "order_rules": rules,
        "fill_delay_sec": 0.02,
    }
    return Scenario(**{**values, **changes})  # type: ignore[arg-type]


def account(**changes: object) -> AccountSetup:
    """100 AAA, 100 BBB and 5,000 USD."""
    values: dict[str, object] = {
        "account_id": ACCOUNT,
        "cash": {"USD": Decimal(CASH_USD)},
        "positions": tuple(
            PositionSetup(symbol=name, quantity=Decimal(qty), avg_cost=Decimal(10))
            for name, qty in HELD.items()
        ),
    }
    return AccountSetup(**{**values, **changes})  # type: ignore[arg-type]


def rule(behaviour: OrderBehaviour, *symbols: str, **conditions: tuple[object, ...]) -> OrderRule:
    """Orders in these symbols behave so."""
    return OrderRule(then=behaviour, symbols=symbols, **conditions)  # type: ignore[arg-type]


def settings_text(
    port: int, report_dir: str, changes: Mapping[str, Mapping[str, object]] | None = None
) -> str:
    """A settings file for a gateway on this port; ``changes`` by section and key."""
    sections: dict[str, dict[str, object]] = {
        "ibkr": {
            "port": port,
            "client_id": CLIENT_ID,
            "account_id": ACCOUNT,
            "read_only": "false",
            "connect_timeout_sec": 1,
        },
        "models": {"ONE": 1},
        "rebalance": {"min_order_usd": 100, "cash_buffer_pct": "1%"},
        "pricing": {"price_timeout_sec": 2},
        "execution": {"algo_preference": "none", "order_timeout_sec": 1},
        "io": {"report_dir": report_dir},
    }
    for section, keys in (changes or {}).items():
        sections[section] |= keys
    return "\n".join(
        f"[{name}]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items())
        for name, keys in sections.items()
    )
