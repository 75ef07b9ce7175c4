"""What the account should hold: the mix of models as weights, and the cash buffer as a floor.

Weights are fractions of net liq and sum to 1 within 1e-9, ``CASH`` always among them. A negative
``CASH`` weight borrows. Also decides what happens to holdings that no model lists.

Source: SRS R-301, R-302 and R-308.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from src.base.errors import ConfigError, PlanError, Problem, Refused
from src.base.money import ONE, ZERO, exact_arithmetic, usd_text, without_noise
from src.base.settings import RebalanceSettings
from src.core.records.account import AccountSnapshot, Position, UnmanagedPosition
from src.core.records.plan import Targets, Valuation
from src.core.records.portfolios import CASH, ModelPortfolios, Symbol, Weights, folded_name

_PLACES: Final = Decimal(1).scaleb(-60)


@exact_arithmetic()
def build_targets(portfolios: ModelPortfolios, models: Mapping[str, Decimal]) -> Targets:
    """Mix the models: ``target_i = Σ_k mix_k × model_k,i``, columns and mix divided by their sums.

    Models are matched by :func:`folded_name`; a symbol that a model does not name counts as 0.

    Raises: ConfigError when the mix and the file do not name the same models, or sum to nothing.
    """
    columns = {folded_name(name): weights for name, weights in portfolios.models.items()}
    mix = {folded_name(name): weight for name, weight in models.items()}
    _check_names(columns, mix)
    mix_sum = sum(mix.values(), ZERO)
    totals: dict[Symbol, Decimal] = {CASH: ZERO, **dict.fromkeys(portfolios.symbols, ZERO)}
    for name in sorted(mix):
        share = mix[name] / (mix_sum * sum(columns[name].values(), ZERO))
        for symbol, weight in columns[name].items():
            totals[symbol] += share * weight
    return Targets(weights={symbol: _rounded(totals[symbol]) for symbol in sorted(totals)})


@exact_arithmetic()
def hold_buffer(targets: Targets, account: Valuation, rebalance: RebalanceSettings) -> Targets:
    """Raise the CASH target to the reserve and scale the assets down to make room.

    With reserve r (a fraction of net liq) and CASH target c the effective target is max(c, r) for
    c ≥ 0 and c + r for c < 0, so an account that was just rebalanced has no drift.

    Raises: PlanError if the reserve is not below net liq.
    """
    reserve = _reserve_weight(account, rebalance)
    if not reserve < ONE:
        raise PlanError(
            f"the cash buffer of {usd_text(reserve * account.net_liq_usd)} USD is not below "
            f"net liq, {usd_text(account.net_liq_usd)} USD; lower "
            f"cash_buffer_{rebalance.cash_buffer_type} in [rebalance]"
        )
    cash = targets.weights[CASH]
    effective = max(cash, reserve) if cash >= ZERO else cash + reserve
    if effective == cash:
        return targets
    scale = (ONE - effective) / (ONE - cash)
    weights = {symbol: _rounded(weight * scale) for symbol, weight in targets.weights.items()}
    weights[CASH] = effective
    return Targets(weights=weights)


@exact_arithmetic()
def cash_floor(
    effective_cash: Decimal, net_liq_usd: Decimal, rebalance: RebalanceSettings
) -> Decimal:
    """F, the USD cash that buys may not go below: the buffer, and the leverage cap as cash.

    Holdings are long only, so leverage ≤ cap is the same as cash ≥ (1 − cap) × net liq.
    ``effective_cash`` is the CASH weight after :func:`hold_buffer`; it is below the reserve
    exactly when the model's own CASH is negative, and then it is itself the floor.
    """
    floor = min(reserve_usd(net_liq_usd, rebalance), effective_cash * net_liq_usd)
    return without_noise(max(floor, (ONE - rebalance.max_leverage) * net_liq_usd))


def reserve_usd(net_liq_usd: Decimal, rebalance: RebalanceSettings) -> Decimal:
    """The cash buffer in USD."""
    if rebalance.cash_buffer_type == "abs":
        return rebalance.cash_buffer_usd
    return rebalance.cash_buffer_weight * net_liq_usd


def symbols_to_price(snapshot: AccountSnapshot, targets: Targets) -> tuple[Symbol, ...]:
    """Every symbol that is held or has a target above zero, sorted; CASH needs no price."""
    held = {position.symbol for position in snapshot.positions if position.qty_shares}
    wanted = {symbol for symbol, weight in targets.weights.items() if weight and symbol != CASH}
    return tuple(sorted(held | wanted))


def unlisted_symbols(snapshot: AccountSnapshot, listed: Collection[Symbol]) -> frozenset[Symbol]:
    """Held symbols that no model lists."""
    return frozenset(position.symbol for position in snapshot.positions) - frozenset(listed)


def apply_unlisted(
    snapshot: AccountSnapshot, listed: Collection[Symbol], rebalance: RebalanceSettings
) -> AccountSnapshot:
    """Treat holdings that no model lists as the settings say: sell, keep (unmanaged) or abort.

    Raises: Refused naming them, with ``unlisted_positions = abort``.
    """
    unlisted = unlisted_symbols(snapshot, listed)
    if not unlisted or rebalance.unlisted_positions == "sell":
        return snapshot
    if rebalance.unlisted_positions == "abort":
        raise Refused(
            f"held but in no model: {', '.join(sorted(unlisted))}; add them to the portfolios "
            "file, or set unlisted_positions to sell or keep in [rebalance]"
        )
    kept = tuple(as_unmanaged(one) for one in snapshot.positions if one.symbol in unlisted)
    managed = tuple(one for one in snapshot.positions if one.symbol not in unlisted)
    return replace(snapshot, positions=managed, unmanaged=snapshot.unmanaged + kept)


def _check_names(columns: Mapping[str, Weights], mix: Mapping[str, Decimal]) -> None:
    strangers = sorted(columns.keys() ^ mix.keys())
    if strangers:
        raise ConfigError(
            Problem(
                where="[models]",
                what=f"settings and portfolios file do not name the same models: "
                f"{', '.join(strangers)}",
            )
        )
    empty = sorted(name for name in mix if not sum(columns[name].values(), ZERO))
    if empty or not sum(mix.values(), ZERO):
        raise ConfigError(
            Problem(where="[models]", what=f"weights sum to 0: {', '.join(empty) or 'the mix'}")
        )


def _rounded(weight: Decimal) -> Decimal:
    """60 decimals: so many more than a drift has that no drift shows where a weight was cut."""
    return weight.quantize(_PLACES)


def _reserve_weight(account: Valuation, rebalance: RebalanceSettings) -> Decimal:
    if rebalance.cash_buffer_type == "abs":
        return rebalance.cash_buffer_usd / account.net_liq_usd
    return rebalance.cash_buffer_weight


@exact_arithmetic()
def as_unmanaged(position: Position) -> UnmanagedPosition:
    """A USD stock or ETF that is left alone, with the worth that the account gives it."""
    price = position.market_price_usd
    return UnmanagedPosition(
        con_id=position.con_id,
        symbol=position.symbol,
        sec_type="STK",
        currency="USD",
        qty=position.qty_shares,
        value=None if price is None else position.qty_shares * price,
    )
