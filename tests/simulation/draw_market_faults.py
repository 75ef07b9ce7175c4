"""Random trouble with what account and market say: one function per kind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from src.simulator.scenario.records import AccountSetup, MarketDataSetup, OrderSetup, PositionSetup
from tests.simulation.trouble import Fault, Trouble


def lying_price(trouble: Trouble) -> None:
    fields = trouble.chance.sample(("last", "bid", "ask", "close"), trouble.chance.randint(1, 4))
    shown = {
        name: trouble.chance.choice(
            (Decimal(-1), Decimal(0), "NaN", "1.7976931348623157E308", None, Decimal("0.01"))
        )
        for name in fields
    }
    trouble.data[trouble.symbol] = MarketDataSetup(shown=shown)  # type: ignore[arg-type]
    trouble.meddles = True


def poor_data(trouble: Trouble) -> None:
    access = trouble.pick("delayed", "none", "silent")
    refusal = trouble.chance.choice((354, 10089, 10168, 10197))
    delay = trouble.chance.choice((0, 2, 15))
    trouble.data[trouble.symbol] = MarketDataSetup(access=access, refusal=refusal, delay_sec=delay)


def data_ends(trouble: Trouble) -> None:
    """The broker ends running market data lines, for good or for a while."""
    code = trouble.chance.choice((354, 10089, 10090, 10168, 10186, 10197))
    trouble.event(what="data_refused", symbol=trouble.symbol, code=code)
    away = trouble.chance.choice((0, 1, 20, None))
    if away is not None:
        ended = trouble.events[-1]
        back = replace(ended, what="data_back", after_sec=ended.after_sec + away)
        trouble.events.append(back)


def halted(trouble: Trouble) -> None:
    if trouble.chance.random() < 0.4:
        trouble.data[trouble.symbol] = MarketDataSetup(halted=trouble.chance.choice((1, 2)))
    else:
        trouble.event(what="halt", symbol=trouble.symbol, value=Decimal(1))


def sentinel(trouble: Trouble) -> None:
    """A position or a sum that cannot be."""
    if trouble.chance.random() < 0.5:
        name = trouble.pick("reported_quantity", "reported_price", "reported_avg_cost")
        value = trouble.pick("NaN", "Infinity", "1.7976931348623157E308", "2147483647")
        trouble.reported = {name: value, "reported_times": trouble.chance.choice((1, 2))}
    else:
        key = trouble.pick("CashBalance", "NetLiquidationByCurrency", "ExchangeRate")
        value = trouble.pick("NaN", "1.7976931348623157E308", "", None, "-1", "abc")
        trouble.overrides.append((key, "USD", value))
    trouble.meddles = True


def price_moves(trouble: Trouble) -> None:
    trouble.event(
        what="price",
        symbol=trouble.symbol,
        value=Decimal(trouble.chance.randint(200, 60_000)) / 100,
    )
    trouble.meddles = True


def somebody_trades(trouble: Trouble) -> None:
    """Another program or person changes the account, or has orders of their own."""
    kind = trouble.chance.random()
    if kind < 0.3:
        trouble.event(what="cash", value=Decimal(trouble.chance.randint(0, 20_000)))
    elif kind < 0.5:
        trouble.event(what="position", symbol=trouble.symbol, value=Decimal(7))
    elif kind < 0.75:
        shares = Decimal(trouble.chance.choice((-5, 5)))
        trouble.event(what="order", symbol=trouble.symbol, value=shares)
    else:
        ref = trouble.pick("", "IBR-20250101T000000Z-1-1", "other")
        trouble.orders.append(
            OrderSetup(
                symbol=trouble.symbol,
                quantity=Decimal(3),
                side="BUY",
                limit_price=Decimal("0.5"),
                client_id=trouble.chance.choice((0, 7, 42)),
                order_id=trouble.chance.choice((0, 3, 900)),
                order_ref=ref,
            )
        )
    trouble.meddles = True


def not_trading(trouble: Trouble) -> None:
    trouble.market = trouble.pick("closed", "pre", "holiday", "halfday")


def odd_contract(trouble: Trouble) -> None:
    """Contract details that name another contract, another symbol, or no kind of fund."""
    change = trouble.chance.choice(
        ({"details_con_id": 555}, {"details_symbol": "ZZZ"}, {"stock_type": "COMMON"})
    )
    trouble.contract[trouble.symbol] = change


def other_account(trouble: Trouble) -> None:
    """The login has a second account with holdings and orders of its own, named first or last."""
    trouble.other_accounts = (
        AccountSetup(
            account_id="DU7654321",
            cash={"USD": Decimal(1_000_000)},
            positions=(PositionSetup(symbol=trouble.symbol, quantity=Decimal(999)),),
        ),
    )
    if trouble.chance.random() < 0.5:
        trouble.orders.append(
            OrderSetup(
                symbol=trouble.symbol,
                quantity=Decimal(3),
                side="SELL",
                limit_price=Decimal(9999),
                account_id="DU7654321",
            )
        )


MARKET_FAULTS: Final[tuple[Fault, ...]] = (
    odd_contract,
    other_account,
    lying_price,
    poor_data,
    data_ends,
    halted,
    sentinel,
    price_moves,
    somebody_trades,
    not_trading,
)
