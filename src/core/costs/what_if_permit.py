"""The permission to ask what a plan's orders would cost, and the gate that its questions pass.

A question is an order message with whatIf = 1 and transmit = 1: nothing but that one field stands
between it and the market. So ``WhatIfPass`` reads the bytes that are about to leave, by the
server's version, and lets them pass only where they are the question about one line of the plan.
The permit is a type of its own and opens no order desk.

Source: the field order of placeOrder in the TWS API, versions 157 to 178, SRS D-93.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from src.base.accounts import is_master, master_refusal
from src.base.errors import Refused
from src.core.records.plan import OrderTicket, TradePlan

_FIRST_VERSION: Final = 157
_LAST_VERSION: Final = 178
_MISREAD_VERSION: Final = 158
"""The library's order messages of this version are not the server's."""

_FIELDS: Final = (
    (
        _FIRST_VERSION,
        _LAST_VERSION,
        (
            "message_id order_id con_id symbol sec_type expiry strike right multiplier"
            " exchange primary_exchange currency local_symbol trading_class sec_id_type sec_id"
            " action quantity order_type limit_price aux_price tif oca_group account"
            " open_close origin order_ref transmit parent_id block_order sweep_to_fill"
            " display_size trigger_method outside_rth hidden allocation discretionary_amount"
            " good_after good_till fa_group fa_method fa_percentage"
        ),
    ),
    (_FIRST_VERSION, 176, "fa_profile"),
    (
        _FIRST_VERSION,
        _LAST_VERSION,
        (
            "model_code short_sale_slot designated_location exempt_code oca_type rule_80a"
            " settling_firm all_or_none min_quantity percent_offset e_trade_only"
            " firm_quote_only nbbo_cap auction_strategy starting_price stock_ref_price delta"
            " range_lower range_upper override_percentage volatility volatility_type"
            " delta_neutral_type delta_neutral_aux continuous_update reference_price_type"
            " trail_stop_price trailing_percent scale_init scale_subs scale_increment"
            " scale_table active_start active_stop hedge_type opt_out_smart clearing_account"
            " clearing_intent not_held underlying algo_strategy algo_id what_if misc_options"
            " solicited randomize_size randomize_price conditions adjusted_type trigger_price"
            " limit_offset adjusted_stop adjusted_stop_limit adjusted_trailing"
            " adjusted_trailing_unit ext_operator soft_name soft_value cash_quantity"
            " decision_maker decision_algo execution_trader execution_algo no_auto_hedge_price"
            " oms_container discretionary_limit price_management"
        ),
    ),
    (159, _LAST_VERSION, "duration"),
    (160, _LAST_VERSION, "post_to_ats"),
    (162, _LAST_VERSION, "auto_cancel_parent"),
    (166, _LAST_VERSION, "error_override"),
    (169, _LAST_VERSION, "manual_order_time"),
)
"""The fields of the order for a stock, by the first and the last version that has them."""

_FIXED: Final = {
    "message_id": "3",
    "sec_type": "STK",
    "exchange": "SMART",
    "currency": "USD",
    "order_type": "MKT",
    "tif": "DAY",  # without it the broker answers with a note about its preset instead
    "transmit": "1",  # with 0 the broker answers 321
    "parent_id": "0",
    "what_if": "1",
    # Where one of these is set, more fields follow than the table has.
    "delta_neutral_type": "",
    "scale_increment": "",
    "hedge_type": "",
    "underlying": "0",
    "algo_strategy": "",
    "conditions": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfPermit:
    """What may be asked: each ticket of one plan, once. Made by ``permit_what_ifs`` alone."""

    account_id: str
    tickets: tuple[OrderTicket, ...]


def permit_what_ifs(plan: TradePlan) -> WhatIfPermit:
    """The permission to ask about every ticket of the plan; no answer of the user is needed.

    Raises: Refused for an advisor's or broker's master, which never gets an answer.
    """
    if is_master(plan.account_id):
        raise Refused(master_refusal(plan.account_id, ()))
    return WhatIfPermit(account_id=plan.account_id, tickets=plan.tickets)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfPass:
    """The gate of one set of questions; ``asked`` maps the order id of each to its ticket."""

    permit: WhatIfPermit
    server_version: int
    asked: Mapping[int, OrderTicket]

    def violation(self, message: str) -> str:
        """Why this message may not leave; empty for a question that the permit allows."""
        fields = read_order(message, self.server_version)
        if fields is None:
            return f"it cannot be read for certain at server version {self.server_version}"
        wrong = [name for name, text in _FIXED.items() if fields[name] != text]
        if wrong:
            return f"its field {wrong[0]} is {fields[wrong[0]][:12]!r}"
        ticket = self.asked.get(_whole(fields["order_id"]))
        if ticket is None or ticket not in self.permit.tickets:
            return "its order id is none of a question"
        wanted = (self.permit.account_id, str(ticket.con_id), ticket.side.value, ticket.qty_shares)
        found = (fields["account"], fields["con_id"], fields["action"], _number(fields["quantity"]))
        return "" if found == wanted else f"it is not the order for {ticket.symbol} of the plan"


def read_order(message: str, server_version: int) -> dict[str, str] | None:
    """The fields of a placeOrder for a stock by name; None where they do not fit the version."""
    if not _FIRST_VERSION <= server_version <= _LAST_VERSION or server_version == _MISREAD_VERSION:
        return None
    names = [
        name
        for first, last, part in _FIELDS
        if first <= server_version <= last
        for name in part.split()
    ]
    texts = message.split("\0")
    if texts.pop() or len(texts) != len(names):
        return None
    return dict(zip(names, texts, strict=True))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
