"""F109 and F110: an account whose download never ends, or belongs to another program."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import BrokerLost
from src.broker.ibkr_client import IbkrSession
from src.core.records.account import AccountSnapshot
from src.simulator.scenario.records import GatewaySettings, Scenario
from tests.kits.client_kit import gateway_of, sent, talk, with_wire
from tests.kits.exchange_kit import ACCOUNT, OTHER_ACCOUNT, START, account, scenario

LINKED = scenario(accounts=(account(account_id=OTHER_ACCOUNT), account(is_linked=True)))
TAKEN = scenario(
    accounts=(account(), account(account_id=OTHER_ACCOUNT)),
    gateway=GatewaySettings(followed_elsewhere=OTHER_ACCOUNT),
)
MULTI, DOWNLOAD, SUMMARY = "ReqAccountUpdatesMulti", "ReqAccountUpdates", "ReqAccountSummary"


def read(setting: Scenario, *, timeout: str = "2") -> AccountSnapshot:
    return talk(setting, lambda session: session.fetch_snapshot(), timeout=timeout)


def asked(setting: Scenario, *, fresh: int = 0, timeout: str = "2") -> Counter[str]:
    """How often each message was sent in a start and so many fresh readings."""

    async def work(session: IbkrSession) -> Counter[str]:
        for _ in range(fresh):
            await session.fetch_snapshot(fresh=True)
        return Counter(sent(gateway_of(session)))

    return talk(setting, work, timeout=timeout)


def essence(snapshot: AccountSnapshot) -> AccountSnapshot:
    """A snapshot without what a multi request cannot know."""
    return replace(
        snapshot,
        as_of_utc=START,
        positions=tuple(replace(one, market_price_usd=None) for one in snapshot.positions),
        unmanaged=tuple(replace(one, value=None) for one in snapshot.unmanaged),
        class_worth=(),
        warnings=(),
    )


@pytest.mark.parametrize("setting", [LINKED, TAKEN], ids=["linked", "taken"])
def test_positions_and_figures_are_read_another_way(setting: Scenario) -> None:
    plain, other = read(scenario()), read(setting)
    assert essence(other) == essence(plain)
    assert all(one.market_price_usd is None for one in other.positions)
    assert [(one.name, one.currency, one.amount) for one in other.class_worth] == [
        ("OptionMarketValue", "USD", Decimal(1200)),
        ("StockMarketValue", "USD", Decimal(12_000)),
    ]


def test_the_account_is_read_so_from_the_start_to_the_end_of_a_session() -> None:
    counts = asked(LINKED, fresh=3)
    assert counts[DOWNLOAD] == 1
    assert counts[MULTI] == 4
    assert counts["CancelAccountUpdatesMulti"] == 3
    assert counts["ReqPositions"] == 4


def test_a_fresh_reading_sees_what_changed() -> None:
    async def work(session: IbkrSession) -> list[Decimal]:
        before = await session.fetch_snapshot()
        exchange = gateway_of(session).exchange
        exchange._floor.accounts[ACCOUNT].cash["USD"] = Decimal(77)  # type: ignore[attr-defined]
        after = await session.fetch_snapshot(fresh=True)
        return [before.cash_usd, after.cash_usd]

    assert talk(LINKED, work, timeout="2") == [10_000, 77]


def test_a_download_that_ends_asks_nothing_more() -> None:
    counts = asked(scenario(), fresh=2)
    assert not counts.keys() & {MULTI, SUMMARY}
    several = asked(scenario(accounts=(account(), account(account_id=OTHER_ACCOUNT))))
    assert not several.keys() & {MULTI, SUMMARY}


def test_another_programs_subscription_is_named_in_the_warning() -> None:
    (warning,) = read(TAKEN).warnings
    assert warning.startswith("another program is subscribed to a different account of this login")


def test_another_programs_subscription_is_named_where_nothing_else_answers() -> None:
    silent = with_wire(TAKEN, silent_messages=("AccountUpdateMultiEnd",))
    with pytest.raises(BrokerLost, match=r"another program is subscribed .* \(2101\); end it"):
        read(silent, timeout="0.5")


def test_neither_way_is_lost_and_never_an_empty_account() -> None:
    silent = with_wire(LINKED, silent_messages=("AccountUpdateMultiEnd",))
    with pytest.raises(BrokerLost, match="account values"):
        read(silent, timeout="0.5")


@pytest.mark.parametrize(("setting", "summaries"), [(LINKED, 0), (TAKEN, 1)])
def test_the_kind_of_account_is_asked_once_more_where_multi_leaves_it_out(
    setting: Scenario, summaries: int
) -> None:
    left_out = GatewaySettings(
        followed_elsewhere=setting.gateway.followed_elsewhere,
        multi_leaves_out=("TradingType-S", "AccountType"),
    )
    short = replace(setting, gateway=left_out)
    assert read(short).terms == read(setting).terms
    assert asked(short)[SUMMARY] == summaries
    silent = with_wire(short, silent_messages=("AccountSummary",))
    assert read(silent).terms.trading_type == ("" if summaries else "STKNOPT")
