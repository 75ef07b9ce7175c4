"""The laws of a withdrawal: the amount is free afterwards, and hardly more than that is sold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from src.base.errors import Refused
from src.core.cash_effects import sale_reserve
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH
from src.core.records.wishes import Wishes
from src.core.targets import hold_buffer
from src.core.wishes.withdrawing import SellChoice, choose_sells, most_usd
from tests.laws.strategies import Case, cases
from tests.laws.test_wish_laws import Wished

ZERO = Decimal(0)
HAIR = Decimal("1e-9")
FALL = Decimal("0.005")


@st.composite
def withdrawing(draw: st.DrawFn) -> Wished:
    case: Case = draw(cases())
    some = tuple(draw(st.lists(st.sampled_from(sorted(case.account.holdings)), unique=True)))
    skip, only = draw(st.sampled_from(((some, ()), ((), some), ((), ()))))
    share = draw(st.decimals(Decimal("0.001"), Decimal("1.2"), places=3))
    usd = max(Decimal("0.01"), round(share * case.account.net_liq_usd, 2))
    return Wished(case=case, wishes=Wishes(skip=skip, only=only, withdraw_usd=usd))


def planned(one: Wished) -> TradePlan | None:
    """None where the amount is out of reach."""
    try:
        return one.plan()
    except Refused:
        return None


def surely(plan: TradePlan) -> Decimal:
    """What the sells bring after commissions and a fall of 0.5%."""
    return sum((net(one.est_value_usd) for one in plan.tickets), ZERO)


def net(value: Decimal) -> Decimal:
    return value - FALL * value - sale_reserve(value) if value else ZERO


def stays(one: Wished) -> Decimal:
    """The CASH target of the rest, or the debt there is now."""
    account, usd = one.case.account, one.wishes.withdraw_usd or ZERO
    rest = replace(account, cash_usd=account.cash_usd - usd, net_liq_usd=account.net_liq_usd - usd)
    target = hold_buffer(one.case.targets, rest, one.case.rules).weights[CASH]
    return max(target * rest.net_liq_usd, min(ZERO, account.cash_usd))


@settings(max_examples=40)
@given(withdrawing())
def test_the_amount_is_free_and_nothing_is_bought(one: Wished) -> None:
    plan = planned(one)
    assume(plan is not None)
    assert plan is not None
    usd = one.wishes.withdraw_usd or ZERO
    assert all(ticket.side is Side.SELL for ticket in plan.tickets)
    assert plan.before.cash_usd + surely(plan) >= usd + stays(one) - HAIR
    assert not {ticket.symbol for ticket in plan.tickets} & set(one.wishes.skip)
    if one.wishes.only:
        assert {ticket.symbol for ticket in plan.tickets} <= set(one.wishes.only)
    for ticket in plan.tickets:
        assert one.case.rules.min_order_usd <= ticket.est_value_usd
        assert ticket.qty_shares <= plan.before.holdings[ticket.symbol].qty_shares


@settings(max_examples=40)
@given(withdrawing())
def test_no_order_is_a_unit_larger_than_needed_unless_the_minimum_forces_it(one: Wished) -> None:
    plan = planned(one)
    assume(plan is not None)
    assert plan is not None
    rules = one.case.rules
    step = Decimal("0.0001") if rules.allow_fractional else Decimal(1)
    excess = plan.before.cash_usd + surely(plan) - (one.wishes.withdraw_usd or ZERO) - stays(one)
    for ticket in plan.tickets:
        fewer = ticket.est_value_usd - step * ticket.est_price_usd
        spared = net(ticket.est_value_usd) - net(fewer)
        assert net(ticket.est_value_usd) > excess - HAIR
        assert spared > excess - HAIR or fewer < max(rules.min_order_usd, HAIR)


@settings(max_examples=40)
@given(withdrawing())
def test_what_is_out_of_reach_names_the_most_that_is_possible(one: Wished) -> None:
    try:
        one.plan()
    except Refused as error:
        most = Decimal(str(error).partition("at most $")[2].split(" ")[0].replace(",", ""))
        assert most < (one.wishes.withdraw_usd or ZERO)
        if most:
            possible = replace(one, wishes=replace(one.wishes, withdraw_usd=most))
            assert possible.plan().wishes.withdraw_usd == most
        more = replace(one, wishes=replace(one.wishes, withdraw_usd=most + 2))
        assert planned(more) is None


@settings(max_examples=40)
@given(withdrawing())
def test_a_withdrawal_does_not_depend_on_row_order(one: Wished) -> None:
    holdings = dict(reversed(list(one.case.account.holdings.items())))
    case = replace(one.case, account=replace(one.case.account, holdings=holdings))
    assert planned(replace(one, case=case)) == planned(one)


def error_of(choices: list[SellChoice], units: dict[str, int], needed: Decimal) -> Decimal:
    own = sum((abs(one.over_usd - units.get(one.symbol, 0) * one.lot_usd) for one in choices), ZERO)
    return own + brought(choices, units) - needed


def brought(choices: list[SellChoice], units: dict[str, int]) -> Decimal:
    return sum((one.net_usd(units.get(one.symbol, 0)) for one in choices), ZERO)


@st.composite
def few_choices(draw: st.DrawFn) -> list[SellChoice]:
    found = []
    for symbol in "ABC"[: draw(st.integers(1, 3))]:
        most = draw(st.integers(1, 7))
        found.append(
            SellChoice(
                symbol=symbol,
                lot_usd=Decimal(draw(st.integers(20, 400))),
                least=draw(st.integers(1, most)),
                most=most,
                over_usd=Decimal(draw(st.integers(-500, 1500))),
            )
        )
    return sorted(found, key=lambda one: (-one.over_usd, one.symbol))


@given(few_choices(), st.integers(1, 100))
def test_little_is_lost_against_trying_everything(choices: list[SellChoice], part: int) -> None:
    needed = most_usd(choices) * part / 100
    assume(needed > 0)
    ours = choose_sells(choices, needed)
    assert brought(choices, ours) >= needed
    counts = [[0, *range(one.least, one.most + 1)] for one in choices]
    every = (
        {one.symbol: count for one, count in zip(choices, found, strict=True) if count}
        for found in product(*counts)
    )
    fitting = [units for units in every if brought(choices, units) >= needed]
    dearest = max(one.lot_usd for one in choices)
    tight = [units for units in fitting if brought(choices, units) - needed < dearest]
    best = min(error_of(choices, units, needed) for units in tight or fitting)
    assert error_of(choices, ours, needed) <= best + 2 * dearest
