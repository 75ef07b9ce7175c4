"""What the user wishes of each plan of a script: mostly nothing, else one of all there is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Final

from src.core.records.portfolios import CASH
from src.core.records.wishes import NO_WISHES, Wishes
from tests.simulation.script import Script

_SHARE: Final = 0.35


def draw_wishes(script: Script) -> Script:
    """The same script with wishes; drawn beside it, so that all else stays as it was.

    A calm market is left alone: there the next plan must be empty.
    """
    chance = Random(f"wishes of {script.seed}")
    if script.is_calm or chance.random() >= _SHARE:
        return script
    return replace(script, wishes=_wishes(chance, script))


def _wishes(chance: Random, script: Script) -> Wishes:
    models = script.portfolios.models.values()
    targeted = sorted({one for model in models for one in model if model[one] and one != CASH})
    named = tuple(chance.sample(targeted, min(len(targeted), chance.randint(1, 3))))
    amount_usd = Decimal(chance.choice((50, 500, 2_000, 10_000)))
    return chance.choice(
        (
            Wishes(invest=True),
            Wishes(invest=True, invest_usd=amount_usd),
            Wishes(withdraw_usd=amount_usd),
            Wishes(no_sell=True),
            Wishes(skip=named) if named else NO_WISHES,
            Wishes(only=named) if named else NO_WISHES,
        )
    )
