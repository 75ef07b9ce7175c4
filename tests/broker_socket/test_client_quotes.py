"""F39 to F42 and the time, line and message limits of asking for quotes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import pytest

from src.base.errors import BrokerLost
from src.base.settings import PriceSource, PricingSettings
from src.broker.ibkr_client import IbkrSession
from src.core.pricing import usable_price
from src.core.records.market import DataKind, Quotes, QuoteStage
from src.simulator.gateway.server import utc_now
from src.simulator.scenario.records import (
    ContractSetup,
    GatewaySettings,
    MarketDataSetup,
    PositionSetup,
    Scenario,
    ScheduledEvent,
    WireFaults,
)
from tests.kits.client_kit import QUICK, SendTimes, gateway_of, sent, talk, with_wire
from tests.kits.exchange_kit import CALL, IAU, SPY, XIU, account, scenario

NO_FALLBACK = QUICK._replace(fallback_to_snapshot=False)
Access = Literal["live", "delayed", "none", "silent"]


def _market(**data: object) -> Scenario:
    """SPY with such market data, IAU as usual; nothing is held."""
    setup = replace(MarketDataSetup(), **data)  # type: ignore[arg-type]
    return scenario(
        accounts=(account(positions=()),), contracts=(replace(SPY, market_data=setup), IAU)
    )


def _many(count: int, **data: object) -> Scenario:
    setup = replace(MarketDataSetup(), **data)  # type: ignore[arg-type]
    contracts = tuple(
        ContractSetup(con_id=n, symbol=f"E{n}", price=Decimal(n), market_data=setup)
        for n in range(1, count + 1)
    )
    return scenario(accounts=(account(positions=()),), contracts=contracts)


def _quotes(
    setting: Scenario, pricing: PricingSettings = QUICK, symbols: Collection[str] = ("SPY", "IAU")
) -> Quotes:
    return talk(setting, lambda session: session.fetch_quotes(symbols, pricing))


def _stages(quotes: Quotes, symbol: str = "SPY") -> list[QuoteStage]:
    return [quote.stage for quote in quotes[symbol]]


def test_live_quotes_are_done_at_the_first_usable_field() -> None:
    started = time.monotonic()
    quotes = _quotes(scenario(), QUICK._replace(price_timeout_sec=Decimal(11)))
    assert time.monotonic() - started < 2
    (spy,) = quotes["SPY"]
    assert (spy.bid_usd, spy.ask_usd, spy.last_usd) == (
        Decimal("599.99"),
        Decimal("600.01"),
        Decimal(600),
    )
    assert (spy.stage, spy.kind, spy.is_halted) == (QuoteStage.LIVE, DataKind.LIVE, False)
    assert spy.as_of_utc is not None


@pytest.mark.parametrize("source", ["last", "close", "bid", "ask", "mid"])
def test_every_source_is_found_live(source: PriceSource) -> None:
    quotes = _quotes(scenario(), QUICK._replace(price_source=source))
    assert _stages(quotes) == [QuoteStage.LIVE]
    assert usable_price(quotes["SPY"][0], source) is not None


def test_a_symbol_without_listing_has_no_quote() -> None:
    assert _quotes(scenario(), symbols=("SPY", "NOPE"))["NOPE"] == ()


def test_held_symbols_are_asked_before_any_lookup() -> None:
    async def work(session: IbkrSession) -> list[str]:
        await session.fetch_quotes(["SPY"], QUICK)
        return sent(gateway_of(session))

    assert "ReqContractDetails" not in talk(scenario(), work)


def test_a_holding_closed_today_is_looked_up_like_any_other() -> None:
    closed = PositionSetup(symbol="IAU", quantity=Decimal(0))

    async def work(session: IbkrSession) -> list[str]:
        await session.fetch_quotes(["IAU"], QUICK)
        return sent(gateway_of(session))

    setting = scenario(accounts=(account(positions=(closed,)),))
    assert "ReqContractDetails" in talk(setting, work)


@pytest.mark.parametrize("shown", ["-1", "0", "1.7976931348623157E308"])
def test_a_value_that_is_no_price_falls_through_the_stages(shown: str) -> None:
    quotes = _quotes(_market(shown={"last": Decimal(shown)}))
    assert _stages(quotes) == [QuoteStage.LIVE, QuoteStage.SNAPSHOT, QuoteStage.DELAYED]
    assert all(usable_price(quote, "last") is None for quote in quotes["SPY"])
    assert _stages(quotes, "IAU") == [QuoteStage.LIVE]


def test_a_price_of_forty_digits_is_a_price_to_eight_decimals() -> None:
    price = Decimal("600.123456789012345678901234567890123456")
    (quote,) = _quotes(_market(shown={"last": price}))["SPY"]
    assert usable_price(quote, "last") == Decimal("600.12345679")


def test_crossed_bid_and_ask_are_no_price() -> None:
    shown = {"bid": Decimal(601), "ask": Decimal(600)}
    quotes = _quotes(_market(shown=shown), QUICK._replace(price_source="mid"))
    assert all(usable_price(quote, "mid") is None for quote in quotes["SPY"])


@pytest.mark.parametrize("code", [354, 10089, 10090, 10168, 10186, 10197])
def test_a_refusal_ends_a_stage_at_once(code: int) -> None:
    started = time.monotonic()
    quotes = _quotes(
        _market(access="none", refusal=code), QUICK._replace(price_timeout_sec=Decimal(9))
    )
    assert time.monotonic() - started < 3
    assert quotes["SPY"][0].refusal.startswith(f"{code}:")
    assert len(quotes["SPY"]) == 3


def test_delayed_data_is_used_as_the_last_stage_and_marked() -> None:
    quotes = _quotes(_market(access="delayed"))
    last = quotes["SPY"][-1]
    assert (last.stage, last.kind) == (QuoteStage.DELAYED, DataKind.DELAYED)
    assert last.last_usd == 600


def test_without_the_fallback_there_is_only_live() -> None:
    quotes = _quotes(_market(access="delayed"), NO_FALLBACK)
    assert _stages(quotes) == [QuoteStage.LIVE]
    assert usable_price(quotes["SPY"][0], "last") is None


def test_silence_ends_with_the_time_limit_for_all_stages_together() -> None:
    async def work(session: IbkrSession) -> float:
        await session.known_symbols(["SPY", "IAU"])
        started = time.monotonic()
        quotes = await session.fetch_quotes(["SPY", "IAU"], QUICK)
        assert usable_price(quotes["IAU"][0], "last") == 60
        assert all(usable_price(quote, "last") is None for quote in quotes["SPY"])
        return time.monotonic() - started

    assert 0.5 < talk(_market(access="silent"), work) < 1.2


def test_a_price_after_the_time_limit_is_missing() -> None:
    quotes = _quotes(_market(delay_sec=5), NO_FALLBACK)
    assert usable_price(quotes["SPY"][0], "last") is None


def test_a_slow_snapshot_end_holds_nobody_up() -> None:
    started = time.monotonic()
    pricing = QUICK._replace(price_timeout_sec=Decimal(9))
    quotes = _quotes(_market(access="live", snapshot_end_sec=11), pricing)
    assert _stages(quotes) == [QuoteStage.LIVE]
    assert time.monotonic() - started < 2


def test_a_halt_is_seen_with_the_price() -> None:
    quotes = _quotes(_market(halted=1))
    assert quotes["SPY"][0].is_halted
    assert not quotes["IAU"][0].is_halted


def test_prices_never_mix_between_symbols() -> None:
    quotes = _quotes(_many(40), symbols=[f"E{n}" for n in range(1, 41)])
    assert all(quotes[f"E{n}"][0].last_usd == n for n in range(1, 41))


def test_line_and_message_limits_are_kept_with_many_symbols() -> None:
    symbols = [f"E{n}" for n in range(1, 121)]
    held = tuple(PositionSetup(con_id=n, quantity=Decimal(1)) for n in range(1, 91))
    patient = WireFaults(pacing_limit=1000)  # the client's own clock is what is held against 50
    setting = replace(_many(120), accounts=(account(positions=held),), wire=patient)

    async def work(session: IbkrSession) -> tuple[int, int, int]:
        left = SendTimes(session)
        quotes = await session.fetch_quotes(symbols, PricingSettings())
        assert all(usable_price(quotes[symbol][0], "last") for symbol in symbols)
        log = gateway_of(session).log
        return left.busiest_second(), log.max_market_data_lines, len(log.records)

    rate, lines, messages = talk(setting, work)
    assert rate <= 50
    assert lines <= 90
    assert messages == 3 + 30 + 120 + 30


def test_fewer_free_lines_than_expected_only_take_longer() -> None:
    setting = replace(_many(12), gateway=GatewaySettings(market_data_lines=5))
    quotes = _quotes(
        setting, PricingSettings(price_timeout_sec=Decimal(6)), [f"E{n}" for n in range(1, 13)]
    )
    assert all(usable_price(stages[-1], "last") for stages in quotes.values())


def test_a_lost_connection_ends_the_wait_at_once() -> None:
    async def work(session: IbkrSession) -> None:
        asyncio.get_running_loop().call_later(
            0.2, lambda: session._connection.link.client.break_off("cut by the test")
        )
        await session.fetch_quotes(["SPY"], PricingSettings())

    started = time.monotonic()
    with pytest.raises(BrokerLost, match="cut by the test"):
        talk(_market(access="silent"), work)
    assert time.monotonic() - started < 3


def test_quotes_lost_in_an_outage_are_asked_again() -> None:
    async def work(session: IbkrSession) -> Quotes:
        listener = session._connection.link.listener
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, listener.error, -1, 1100, "lost", "")
        loop.call_later(0.3, listener.error, -1, 1101, "restored, data lost", "")
        return await session.fetch_quotes(["SPY"], QUICK)

    stages = talk(_market(access="silent"), work)["SPY"]
    assert [quote.stage for quote in stages].count(QuoteStage.LIVE) == 2


# --- F91: lines that the broker ends --------------------------------------------------------


def _event(session: IbkrSession, **what: object) -> None:
    """Something happens at the exchange of this session now."""
    server = gateway_of(session)
    happens = ScheduledEvent(symbol="SPY", **what)  # type: ignore[arg-type]
    server._deliver(server.exchange.inject(happens, utc_now()))  # type: ignore[attr-defined]


REFUSALS = [354, 10089, 10090, 10168, 10186, 10197]


@pytest.mark.parametrize("code", REFUSALS)
def test_f91_a_stream_that_the_broker_ended_is_asked_again(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(session: IbkrSession) -> tuple[Decimal | None, int]:
        await session.fetch_quotes(["SPY"], QUICK)
        _event(session, what="data_refused", code=code)
        _event(session, what="price", value=Decimal(610))
        _event(session, what="data_back")
        await asyncio.sleep(0.05)
        (quote,) = (await session.fetch_quotes(["SPY"], QUICK))["SPY"]
        return quote.last_usd, sent(gateway_of(session)).count("ReqMktData")

    assert talk(scenario(), work) == (Decimal(610), 2)
    assert f"reason={code}: " in caplog.text


@pytest.mark.parametrize("code", REFUSALS)
def test_f91_an_old_price_is_never_fresh_while_the_refusal_lasts(code: int) -> None:
    async def work(session: IbkrSession) -> Quotes:
        await session.fetch_quotes(["SPY"], NO_FALLBACK)
        _event(session, what="data_refused", code=code)
        await asyncio.sleep(0.05)
        return await session.fetch_quotes(["SPY"], NO_FALLBACK)

    (quote,) = talk(scenario(), work)["SPY"]
    assert usable_price(quote, "last") is None
    assert quote.refusal.startswith(f"{code}:")


def test_f91_a_line_ended_while_others_are_asked_is_asked_again() -> None:
    async def work(session: IbkrSession) -> tuple[list[Decimal | None], float]:
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, lambda: _event(session, what="data_refused", code=10197))
        loop.call_later(0.25, lambda: _event(session, what="price", value=Decimal(610)))
        loop.call_later(0.3, lambda: _event(session, what="data_back"))
        started = loop.time()
        quotes = await session.fetch_quotes(["SPY", "IAU"], QUICK)
        return [usable_price(one, "last") for one in quotes["SPY"]], loop.time() - started

    silent = replace(IAU, market_data=MarketDataSetup(access="silent"))
    prices, spent = talk(scenario(contracts=(SPY, silent, CALL, XIU)), work)
    assert prices == [None, 610]
    assert spent < 1.2


def test_f91_streams_lost_with_1101_are_asked_again() -> None:
    async def work(session: IbkrSession) -> tuple[Decimal | None, int]:
        await session.fetch_quotes(["SPY"], QUICK)
        _event(session, what="price", value=Decimal(610))
        _event(session, what="link_lost")
        _event(session, what="link_back", code=1101)
        await asyncio.sleep(0.05)
        (quote,) = (await session.fetch_quotes(["SPY"], QUICK))["SPY"]
        return quote.last_usd, sent(gateway_of(session)).count("ReqMktData")

    assert talk(scenario(), work) == (Decimal(610), 2)


@pytest.mark.parametrize("pricing", [QUICK, NO_FALLBACK], ids=["fallback", "live only"])
def test_a_close_that_follows_a_refusal_in_part_is_the_price(pricing: PricingSettings) -> None:
    setting = _market(access="none", refusal=10090)
    started = time.monotonic()
    quotes = _quotes(setting, pricing._replace(price_source="close", price_timeout_sec=Decimal(9)))
    assert time.monotonic() - started < 2
    assert [usable_price(quote, "close") for quote in quotes["SPY"]] == [600]


def test_a_close_that_follows_a_refusal_in_part_late_is_the_price() -> None:
    async def work(session: IbkrSession) -> Quotes:
        listener = session._connection.link.listener
        loop = asyncio.get_running_loop()

        def close_comes() -> None:
            (request_id,) = listener.quotes
            listener.priceSizeTick(request_id, 9, 599.0, 0)

        loop.call_later(0.5, close_comes)
        pricing = NO_FALLBACK._replace(price_source="close", price_timeout_sec=Decimal(9))
        return await session.fetch_quotes(["SPY"], pricing)

    (quote,) = talk(_market(access="none", refusal=10090, shown={"close": None}), work)["SPY"]
    assert usable_price(quote, "close") == 599


def test_a_running_stream_answers_with_its_newest_price() -> None:
    async def work(session: IbkrSession) -> tuple[list[str], Decimal | None]:
        await session.fetch_quotes(["SPY"], QUICK)
        await asyncio.sleep(0.3)
        (quote,) = (await session.fetch_quotes(["SPY"], QUICK))["SPY"]
        return sent(gateway_of(session)), quote.last_usd

    events = (ScheduledEvent(what="price", after_sec=0.2, symbol="SPY", value=Decimal(610)),)
    names, last = talk(scenario(events=events), work)
    assert names.count("ReqMktData") == 1
    assert last == 610


def test_request_ids_never_repeat_and_stay_clear_of_order_ids() -> None:
    async def work(session: IbkrSession) -> list[int]:
        await session.fetch_quotes(["SPY", "IAU"], QUICK)
        await session.fetch_fills()
        asked = [
            r for r in gateway_of(session).wire_log if r.name in ("ReqMktData", "ReqExecutions")
        ]
        return [int(record.fields[2]) for record in asked]

    ids = talk(scenario(), work)
    assert all(one < other for one, other in pairwise(ids))
    assert min(ids) > 10**9


def test_a_flood_of_unknown_ticks_changes_nothing() -> None:
    quotes = _quotes(with_wire(scenario(), duplicate_messages=("TickPrice", "TickString")))
    assert _stages(quotes) == [QuoteStage.LIVE]
