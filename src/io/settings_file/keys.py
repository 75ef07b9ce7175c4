"""Every section and key of the settings file, as a table.

``field`` is the name in the section's record; the default of a key that is left out stands there
too, in ``src.base.settings``. ``[models]`` and ``[contracts]`` are not in the table: their keys
are the user's own names and tickers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from src.io.settings_file.values import (
    ValueParser,
    account,
    basis_points,
    boolean,
    buffer_share,
    choice,
    command_line,
    directory,
    file_path,
    host_name,
    label_text,
    mix_in_words,
    number_from,
    percent_above_zero,
    seconds,
    some_of,
    whole_number,
)

MODELS: Final = "models"
CONTRACTS: Final = "contracts"
ACCOUNT: Final = "account"
"""``[account:NAME]``: what one of several accounts has of its own."""


class KeyRule(NamedTuple):
    """Which field a key fills, how its text is read, and whether it may be left out.

    ``keeps_quotes``: quotation marks around the value are part of it.
    """

    field: str
    parse: ValueParser
    required: bool = False
    keeps_quotes: bool = False


def _same_name(**parsers: ValueParser) -> dict[str, KeyRule]:
    return {key: KeyRule(key, parse) for key, parse in parsers.items()}


KEY_RULES: Final[Mapping[str, Mapping[str, KeyRule]]] = {
    "ibkr": {
        "account_id": KeyRule("account_id", account, required=True),
        **_same_name(
            host=host_name,
            port=whole_number(1, 65535),
            client_id=whole_number(1),
            read_only=boolean,
            allow_live=boolean,
            connect_timeout_sec=seconds,
        ),
    },
    "rebalance": {
        "per_holding_band_bps": KeyRule("per_holding_band_weight", basis_points),
        "portfolio_total_band_bps": KeyRule("portfolio_total_band_weight", basis_points),
        "cash_buffer_pct": KeyRule("cash_buffer_weight", buffer_share),
        "cash_buffer_abs": KeyRule("cash_buffer_usd", number_from(0)),
        **_same_name(
            trigger_mode=choice("per_holding", "total_drift"),
            min_order_usd=number_from(0),
            cash_buffer_type=choice("pct", "abs"),
            allow_fractional=boolean,
            max_leverage=number_from(1, 4),
            min_excess_liquidity_usd=number_from(0),
            trading_hours=choice("rth", "eth"),
            unlisted_positions=choice("sell", "keep", "abort"),
        ),
    },
    "pricing": _same_name(
        price_source=choice("last", "close", "bid", "ask", "mid"),
        fallback_to_snapshot=boolean,
        price_timeout_sec=seconds,
    ),
    "execution": {
        "price_move_limit_pct": KeyRule("price_move_limit_weight", percent_above_zero),
        **_same_name(
            order_type=choice("market"),
            algo_preference=choice("adaptive", "midprice", "none"),
            adaptive_priority=choice("patient", "normal", "urgent"),
            fallback_plain_market=boolean,
            batch_orders=boolean,
            order_timeout_sec=seconds,
            plan_max_age_sec=seconds,
            max_order_usd=number_from(0),
            max_run_usd=number_from(0),
            max_orders=whole_number(1),
        ),
    },
    "notify": {
        "command": KeyRule("command", command_line, keeps_quotes=True),
        "on": KeyRule("on", some_of("due", "traded", "failed")),
    },
    "io": _same_name(
        report_dir=directory,
        html_report=boolean,
        log_level=choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    ),
}

_OWN_LIMITS: Final = ("max_order_usd", "max_run_usd", "max_orders", "price_move_limit_pct")

ACCOUNT_RULES: Final[Mapping[str, Mapping[str, KeyRule]]] = {
    ACCOUNT: {
        "id": KeyRule("account_id", account, required=True),
        "models": KeyRule("models", mix_in_words),
        **_same_name(label=label_text, csv=file_path),
    },
    "ibkr": {"allow_live": KEY_RULES["ibkr"]["allow_live"]},
    "rebalance": KEY_RULES["rebalance"],
    "execution": {key: KEY_RULES["execution"][key] for key in (*_OWN_LIMITS, "plan_max_age_sec")},
}
"""The keys of an account's section, by the section whose value they stand in for."""

REQUIRED_SECTIONS: Final = ("ibkr", MODELS)
SECTIONS: Final = (
    "ibkr",
    MODELS,
    "rebalance",
    "pricing",
    "execution",
    CONTRACTS,
    "notify",
    "io",
)
