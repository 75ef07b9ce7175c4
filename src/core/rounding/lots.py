"""A drift row as a choice of whole units: how many may be traded, and what each is worth.

A unit is one share, or 0.0001 of one where fractions are allowed. Dollars become integers on one
common power of ten that every price, cash and floor fits exactly, so that sizing is exact; only the
wanted amount, which is a target and not a limit, is rounded to that scale.

Source: SRS R-305.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_DOWN, Decimal
from typing import Final

from src.base.money import ZERO, exact_sum, share_step
from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow, Holding, Valuation
from src.core.records.portfolios import Symbol

_LEAST_DIGITS: Final = 12
_QTY_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One trade to be sized; ``sign`` is +1 for a buy and −1 for a sell.

    Trading ``want`` would hit the target and a unit is worth ``lot``. Allowed are ``low`` to
    ``high`` units or, unless ``must_trade``, none; an empty range allows no trade at all. Staying
    below twice ``want`` is what lowers the symbol's own |drift|.
    """

    symbol: Symbol
    sign: int
    lot: int
    want: int
    low: int
    high: int
    must_trade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRule:
    """Cash before the trades, its target, and the floor that no buy may break; and net liq."""

    net_liq: int
    cash: int
    target: int
    floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFrame:
    """The same figures in USD, before they are scaled."""

    net_liq_usd: Decimal
    cash_usd: Decimal
    target_usd: Decimal
    floor_usd: Decimal


class Lots:
    """An account in integers, on one power of ten that fits its prices, cash and minimum order.

    Choices are worked out once and kept, since sizing asks for the same ones again. With
    ``reach_usd`` a buy may pass its target, as far as so much money reaches.
    """

    def __init__(
        self, account: Valuation, rules: RebalanceSettings, reach_usd: Decimal | None = None
    ) -> None:
        prices = exact_sum(one.price_usd for one in account.holdings.values())
        digits = (_digits(prices) + _QTY_DIGITS, _digits(account.cash_usd))
        most = max(*digits, _digits(rules.min_order_usd), _LEAST_DIGITS)
        self.step = share_step(allow_fractional=rules.allow_fractional)
        self._factor = Decimal(10) ** most
        self._lot_factor = self.step * self._factor
        self._minimum = self._whole(rules.min_order_usd)
        self._reach = None if reach_usd is None else self._whole(max(ZERO, reach_usd))
        self._holdings = account.holdings
        self._choices: dict[Symbol, Choice] = {}

    def choice(self, row: DriftRow) -> Choice:
        """The units that may be traded for a row whose drift is not zero."""
        known = self._choices.get(row.symbol)
        if known is None:
            known = self._choices[row.symbol] = self._choice(row, self._holdings[row.symbol])
        return known

    def cash_rule(self, frame: CashFrame) -> CashRule:
        """Scale the cash figures; the floor is rounded up, so that it holds exactly."""
        floor = (frame.floor_usd * self._factor).to_integral_value(rounding=ROUND_CEILING)
        return CashRule(
            net_liq=self._whole(frame.net_liq_usd),
            cash=self._whole(frame.cash_usd),
            target=self._whole(frame.target_usd),
            floor=int(floor),
        )

    def _choice(self, row: DriftRow, holding: Holding) -> Choice:
        lot = int(holding.price_usd * self._lot_factor)
        want = self._whole(abs(row.drift_usd))
        low = max(1, -(-self._minimum // lot))
        high = (2 * want - 1) // lot
        is_buy = row.drift_weight < ZERO
        is_closing = False
        if is_buy and self._reach is not None:
            high = self._reach // lot
        if not is_buy:
            held = int(holding.qty_shares / self.step)
            high = min(high, held)
            is_closing = not row.target_weight and low <= held
            low = held if is_closing else low
        return Choice(
            symbol=row.symbol,
            sign=1 if is_buy else -1,
            lot=lot,
            want=want,
            low=low,
            high=high,
            must_trade=is_closing,
        )

    def _whole(self, amount_usd: Decimal) -> int:
        """Nearest; a half down, so that below twice the result is below twice the amount."""
        return int((amount_usd * self._factor).to_integral_value(rounding=ROUND_HALF_DOWN))


def _digits(number: Decimal) -> int:
    """Decimals of a number; an exact sum has as many as the longest of its parts."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
