"""An account snapshot with its prices as one JSON object, complete enough to plan from later.

Numbers are plain JSON numbers; the full account id is in it, because a program needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from src.base.json_values import Json, json_number
from src.base.money import exact_arithmetic, weight_to_percent
from src.core.records.account import AccountSnapshot, Position, UnmanagedPosition
from src.core.records.market import PriceBook
from src.core.records.plan import Valuation


@exact_arithmetic()
def snapshot_as_json(
    snapshot: AccountSnapshot,
    account: Valuation,
    prices: PriceBook,
    warnings: Sequence[str],
    *,
    with_prices: bool,
) -> dict[str, Json]:
    """The object that ``src.snapshot`` prints; ``with_prices`` adds the price of every symbol."""
    document: dict[str, Json] = {
        "account_id": snapshot.account_id,
        "as_of_utc": snapshot.as_of_utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "net_liq_usd": json_number(account.net_liq_usd),
        "broker_net_liq_usd": _number_or_none(snapshot.broker_net_liq_usd),
        "cash_usd": json_number(account.cash_usd),
        "gross_exposure_usd": json_number(account.gross_exposure_usd),
        "leverage": json_number(account.leverage),
        "ignored_cash": {
            currency: json_number(amount) for currency, amount in snapshot.ignored_cash.items()
        },
        "account_kind": {
            "trading_type": snapshot.terms.trading_type,
            "account_type": snapshot.terms.account_type,
            "available_funds_usd": _number_or_none(snapshot.terms.available_funds_usd),
            "buying_power_usd": _number_or_none(snapshot.terms.buying_power_usd),
        },
        "positions": [_position(held, account, prices) for held in snapshot.positions],
        "unmanaged": [_unmanaged(held) for held in snapshot.unmanaged],
        "warnings": list(warnings),
    }
    if with_prices:
        document["prices"] = {
            symbol: json_number(price.price_usd) for symbol, price in sorted(prices.prices.items())
        }
    return document


def _position(held: Position, account: Valuation, prices: PriceBook) -> dict[str, Json]:
    price = prices.prices[held.symbol]
    value_usd = held.qty_shares * price.price_usd
    return {
        "symbol": held.symbol,
        "con_id": held.con_id,
        "qty_shares": json_number(held.qty_shares),
        "avg_cost_usd": _number_or_none(held.avg_cost_usd),
        "price_usd": json_number(price.price_usd),
        "price_source": price.source,
        "value_usd": json_number(value_usd),
        "weight_pct": json_number(weight_to_percent(value_usd / account.net_liq_usd)),
    }


def _unmanaged(held: UnmanagedPosition) -> dict[str, Json]:
    return {
        "symbol": held.symbol,
        "sec_type": held.sec_type,
        "currency": held.currency,
        "qty": json_number(held.qty),
        "value": _number_or_none(held.value),
    }


def _number_or_none(value: Decimal | None) -> Json:
    return None if value is None else json_number(value)
