"""What an account may do with money, from what the broker's own rows say of its kind.

Never guessed from the account's id or from how a figure is spelled. What the broker does not say,
or says in a word that is not known here, is treated as the strictest kind.

Source: SRS F-108; the row TradingType-S of account downloads.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, dollars
from src.core.records.account import AccountSnapshot, AccountTerms

_CASH_TYPE: Final = "STKCASH"
_RETIREMENT_TYPE: Final = "IRAMRGN"
_RETIREMENT_MARK: Final = "IRA"
_MARGIN_TYPES: Final = frozenset({"STKMRGN", "STKNOPT", "PMRGN", "GPMRGN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """What the account's kind allows; ``is_known`` is False where the broker did not tell it.

    ``may_spend_unsettled``: proceeds of a sell can pay for buys before the sell has settled.
    """

    may_borrow: bool
    may_spend_unsettled: bool
    is_known: bool = True


def account_rules(terms: AccountTerms) -> AccountRules:
    """The rules of an account of this kind."""
    if terms.trading_type == _CASH_TYPE:
        return AccountRules(may_borrow=False, may_spend_unsettled=False)
    if terms.trading_type == _RETIREMENT_TYPE or _RETIREMENT_MARK in terms.account_type:
        return AccountRules(may_borrow=False, may_spend_unsettled=True)
    if terms.trading_type in _MARGIN_TYPES:
        return AccountRules(may_borrow=True, may_spend_unsettled=True)
    return AccountRules(may_borrow=False, may_spend_unsettled=False, is_known=False)


def spendable_now(snapshot: AccountSnapshot) -> Decimal | None:
    """USD that buys may cost before anything settles; None where unsettled money may be spent.

    The lower of AvailableFunds and USD cash. Where the broker does not say AvailableFunds, USD
    cash alone: right only while this run has sold nothing yet.
    """
    if account_rules(snapshot.terms).may_spend_unsettled:
        return None
    available = snapshot.terms.available_funds_usd
    usable = snapshot.cash_usd if available is None else min(available, snapshot.cash_usd)
    return max(ZERO, usable)


def kind_text(terms: AccountTerms) -> str:
    """The kind of account with what can open positions in it now, for the preview.

    The broker's buying power is shown and nothing is judged by it.
    """
    rules = account_rules(terms)
    if not rules.is_known:
        name = "Account of unknown kind"
    elif rules.may_borrow:
        name = "Margin account"
    else:
        name = "Account without borrowing" if rules.may_spend_unsettled else "Cash account"
    words = " ".join(word for word in (terms.trading_type, terms.account_type) if word)
    figures = (
        ("available funds", terms.available_funds_usd),
        ("buying power", terms.buying_power_usd),
    )
    told = [f"{what} {dollars(usd)}" for what, usd in figures if usd is not None]
    return ", ".join([f"{name} ({words})" if words else name, *told])


def unknown_kind(terms: AccountTerms) -> str:
    """A sentence where the account's kind is not known, else nothing."""
    if account_rules(terms).is_known:
        return ""
    said = f"as {terms.trading_type}, which is not known here" if terms.trading_type else "nowhere"
    return (
        f"the broker names the kind of this account {said} (TradingType-S); it is treated as a "
        "cash account, which neither borrows nor spends proceeds before they settle"
    )
