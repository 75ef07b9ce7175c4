"""A seed becomes a script: always the same one, on every machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Final

from src.simulator.scenario.records import (
    CommissionSetup,
    OrderBehaviour,
    OrderRule,
    Scenario,
    ValueOverride,
)
from tests.simulation.draw_account import (
    Holdings,
    calm_settings,
    draw_holdings,
    draw_settings,
)
from tests.simulation.draw_kind import draw_kind
from tests.simulation.draw_market_faults import MARKET_FAULTS
from tests.simulation.draw_moments import MOMENT_FAULTS
from tests.simulation.draw_order_faults import ORDER_FAULTS
from tests.simulation.draw_starts import draw_starts
from tests.simulation.draw_times import draw_times
from tests.simulation.draw_wire_faults import WIRE_FAULTS
from tests.simulation.draw_wishes import draw_wishes
from tests.simulation.script import Invocation, Script, Task
from tests.simulation.trouble import Trouble

_FIRST_DAY: Final = datetime(2025, 1, 1, tzinfo=timezone.utc)
_CALM_SHARE: Final = 0.12


def draw_script(seed: int) -> Script:
    """The script of one seed."""
    chance = Random(seed)
    is_calm = chance.random() < _CALM_SHARE
    holdings = draw_holdings(chance, is_calm=is_calm)
    settings = draw_settings(chance, holdings)
    trouble = Trouble(chance, tuple(one.symbol for one in holdings.contracts[:-2]))
    trouble.prices = {one.symbol: one.price for one in holdings.contracts[:-2]}
    script = Script(
        seed=seed,
        start_utc=_FIRST_DAY + timedelta(minutes=chance.randint(0, 2 * 365 * 24 * 60)),
        scenario=_scenario(holdings, Trouble(chance, ())),
        portfolios=holdings.portfolios,
        settings=settings,
        invocations=(),
        net_delay_sec=chance.choice((0.0, 0.0, 0.001, 0.05)),
    )
    if is_calm:
        return draw_kind(draw_times(_calm(script, holdings)))
    faults = _add_faults(trouble)
    trouble.fill_delay_sec = chance.choice((0, 0.05, 0.05, 1.5))
    trouble.gateway = replace(
        trouble.gateway,
        ledger_prefix=chance.random() < 0.3,
        fractional_orders=chance.random() < 0.3,
        tif_preset_notice=chance.random() < 0.5,
        repeated_subscription=chance.choice(("nothing", "everything")),
    )
    invocations, more = draw_starts(chance)
    if trouble.answer_sec is not None:
        prompt = replace(invocations[0], answer_sec=trouble.answer_sec)
        invocations = (prompt, *invocations[1:])
    clock = chance.choice((1.5, -30.0, 90.0, -7200.0)) if chance.random() < 0.1 else 0.0
    script = replace(
        script,
        start_utc=trouble.starts_at or script.start_utc,
        scenario=_scenario(holdings, trouble),
        invocations=invocations,
        clock_offset_sec=clock,
        faults=(*faults, *more, *(("slow clock",) if clock else ())),
        is_believable=not trouble.lies,
        is_undisturbed=not trouble.meddles,
    )
    return draw_wishes(draw_kind(draw_times(script)))


def _calm(script: Script, holdings: Holdings) -> Script:
    """A healthy market without costs: the second plan must be empty."""
    free = OrderRule(
        then=OrderBehaviour(commission=CommissionSetup(per_share=Decimal(0), minimum=Decimal(0)))
    )
    scenario = replace(_scenario(holdings, Trouble(Random(0), ())), order_rules=(free,))
    return replace(
        script,
        scenario=scenario,
        is_calm=True,
        settings=calm_settings(script.settings),
        invocations=(
            Invocation(task=Task.CONFIRM),
            Invocation(task=Task.DRY_RUN, pause_sec=2),
        ),
    )


def _add_faults(trouble: Trouble) -> tuple[str, ...]:
    chance = trouble.chance
    pools = chance.choice(
        (
            (ORDER_FAULTS,),
            (ORDER_FAULTS, ORDER_FAULTS),
            (ORDER_FAULTS, WIRE_FAULTS),
            (WIRE_FAULTS,),
            (WIRE_FAULTS, ORDER_FAULTS, ORDER_FAULTS),
            (MARKET_FAULTS,),
            (MARKET_FAULTS, ORDER_FAULTS),
            (MOMENT_FAULTS,),
            (MOMENT_FAULTS, ORDER_FAULTS),
            (),
        )
    )
    chosen = [chance.choice(pool) for pool in pools]
    for fault in chosen:
        fault(trouble)
    return tuple(fault.__name__.replace("_", " ") for fault in chosen)


def _scenario(holdings: Holdings, trouble: Trouble) -> Scenario:
    account = replace(
        holdings.account,
        overrides=tuple(
            ValueOverride(key=key, currency=currency, value=value)
            for key, currency, value in trouble.overrides
        ),
    )
    if trouble.reported and account.positions:
        liar = replace(account.positions[0], **trouble.reported)
        account = replace(account, positions=(liar, *account.positions[1:]))
    return Scenario(
        accounts=(account, *trouble.other_accounts),
        clock=trouble.starts_at,
        market=trouble.market,  # type: ignore[arg-type]
        usd_rates={"CAD": Decimal("0.7312"), "EUR": Decimal("1.1687")},
        contracts=tuple(
            replace(
                one,
                market_data=trouble.data.get(one.symbol, one.market_data),
                **(trouble.contract.get(one.symbol, {}) if one.sec_type == "STK" else {}),
            )
            for one in holdings.contracts
        ),
        fill_delay_sec=trouble.fill_delay_sec,
        order_rules=tuple(trouble.rules),
        orders=tuple(trouble.orders),
        events=tuple(trouble.events),
        gateway=trouble.gateway,
        wire=trouble.wire,
    )
