"""What can stop a whole command: one table of situations, each with the flags that run into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_config, validate_portfolios
from src.io.files.state_dir import journal_path, prepare_state_dir, state_dir
from src.simulator.scenario.records import (
    GatewaySettings,
    MarketDataSetup,
    Notice,
    OrderBehaviour,
    OrderRule,
    Rejection,
    Scenario,
    ScheduledEvent,
    WhatIfSetup,
    WireFaults,
)
from tests.commands.kit import ACCOUNT, Done, Main, Workplace, sample
from tests.commands.test_lost import SILENCE
from tests.commands.test_refused import FORBIDS_TRADING, UNTRUE, contract

DRY: Final = ("--dry-run",)
CONFIRM: Final = ("--confirm",)
NO_MARGIN: Final = Notice(code=201, text="Order rejected - reason:INSUFFICIENT MARGIN")
Change = Callable[[Workplace], None]


def _nothing(_: Workplace) -> None:
    """The files are as they are delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A command, the gateway it meets (None: there is none), and what is changed before.

    Answers are waited for as long as ``connect_sec`` and ``price_sec``: short where none comes.
    """

    flags: tuple[str, ...] = CONFIRM
    gateway: Scenario | None = field(default_factory=sample)
    change: Change = _nothing
    main: Main | None = None
    connect_sec: float = 10
    price_sec: float = 10


def setting(section: str, **values: object) -> Change:
    """Keys of the settings that differ."""
    return lambda place: place.set(section, **values)


def text(name: str, content: str) -> Change:
    """A file with other content."""

    def write(place: Workplace) -> None:
        (place.path / name).write_text(content, encoding="utf-8")

    return write


def _damage_journal(place: Workplace) -> None:
    journal = journal_path(prepare_state_dir(is_simulated=False), ACCOUNT)
    journal.write_bytes(b"no database" * 500)


def _state_is_a_file(_place: Workplace) -> None:
    state_dir(is_simulated=False).parent.write_text("x", encoding="utf-8")


def _orders(behaviour: OrderBehaviour, *symbols: str) -> Scenario:
    return sample(order_rules=(OrderRule(then=behaviour, symbols=symbols),))


def _one_order(place: Workplace) -> None:
    place.set("rebalance", per_holding_band_bps="900")
    place.set("execution", order_timeout_sec="0.5")


def _broken_farm(access: MarketDataSetup) -> Scenario:
    farm = "Market data farm connection is broken:usfarm"
    event = ScheduledEvent(what="notice", after_sec=0, code=2103, text=farm)
    return replace(contract("MGK", market_data=access), events=(event,))


def _lists_unknown(place: Workplace) -> None:
    content = place.csv.read_text(encoding="utf-8")
    place.csv.write_text(content.replace("MGK,", "MGKX,"), encoding="utf-8")


def _offline(place: Workplace) -> None:
    place.set("ibkr", port=1, account_id=ACCOUNT, read_only="false")


READ_ONLY: Final = "Error validating request: the API interface is currently in Read-Only mode."
UNHEALTHY: Final = "ETF,SMURF,BADASS,GLTR\nSPY,30%,x,100%\nSPY,69%,100%,\n"

INPUT: Final = {
    "an unknown flag": Situation(flags=("--dryrun",)),
    "json of a confirmed run": Situation(flags=("--json", "--confirm")),
    "a run id that is none": Situation(flags=("--rebuild", "yesterday")),
    "a run that nobody knows": Situation(flags=("--rebuild", "20250131T143000Z")),
    "a run to accept that nobody knows": Situation(
        flags=("--recover", "--accept", "20250131T143000Z")
    ),
    "no settings": Situation(flags=("--config", "config/none.ini")),
    "wrong settings": Situation(
        change=setting("rebalance", min_order_usd="-1", trigger_mode="sometimes")
    ),
    "settings that are no text": Situation(
        flags=("config/settings.ini",),
        change=text("config/settings.ini", "port = 1\n"),
        main=validate_config.main,
    ),
    "no portfolios": Situation(flags=("--csv", "data/none.csv")),
    "wrong portfolios": Situation(
        flags=("data/portfolios.csv", "--offline"),
        change=text("data/portfolios.csv", UNHEALTHY),
        main=validate_portfolios.main,
    ),
    "no snapshot file": Situation(flags=("--from-snapshot", "none.json")),
    "a snapshot file that is none": Situation(
        flags=("--from-snapshot", "x.json"), change=text("x.json", "{}")
    ),
    "an unknown symbol": Situation(flags=DRY, change=_lists_unknown),
    "a report directory that is a file": Situation(change=text("reports", "x")),
}
LOST: Final = {
    "nothing listens": Situation(gateway=None, change=_offline),
    "nothing listens for a snapshot": Situation(
        flags=("--config", "config/settings.ini"),
        gateway=None,
        change=_offline,
        main=snapshot.main,
    ),
    "a host that nobody knows": Situation(
        gateway=None, change=setting("ibkr", host="no-such-host.invalid", account_id=ACCOUNT)
    ),
    "the gateway's line is down": Situation(
        connect_sec=1, gateway=sample(events=(ScheduledEvent(what="link_lost", after_sec=0),))
    ),
    "contracts are refused": Situation(
        gateway=sample(wire=WireFaults(answered_with={"ReqContractDetails": 322}))
    ),
    **{
        name: Situation(gateway=sample(wire=wire), connect_sec=1)
        for name, (wire, _) in SILENCE.items()
        if not name.startswith("closes")  # how far it came by then is a matter of chance
    },
}
REFUSED: Final = {
    **{name: Situation(gateway=one) for name, (one, _) in FORBIDS_TRADING.items()},
    **{name: Situation(gateway=one, flags=DRY) for name, (one, _) in UNTRUE.items()},
    "a broken farm": Situation(
        price_sec=1.5, flags=DRY, gateway=_broken_farm(MarketDataSetup(access="silent"))
    ),
    "no last price": Situation(
        price_sec=1.5,
        flags=DRY,
        gateway=contract(
            "MGK", market_data=MarketDataSetup(access="delayed", shown={"last": None})
        ),
    ),
    "an account of somebody else": Situation(change=setting("ibkr", account_id="DU7654321")),
    "a live account": Situation(change=setting("ibkr", account_id="U7654321")),
    "a master": Situation(change=setting("ibkr", account_id="DF1234567")),
    "figures that are not ready": Situation(
        connect_sec=1,
        flags=DRY,
        gateway=sample(
            accounts=tuple(replace(one, ready=False) for one in sample().accounts),
            gateway=GatewaySettings(account_push_sec=0.01),
        ),
    ),
    "a position that no model lists": Situation(
        change=setting("rebalance", unlisted_positions="abort")
    ),
    "a reserve above the account": Situation(
        change=setting("rebalance", cash_buffer_type="abs", cash_buffer_abs=200000)
    ),
    "limits": Situation(
        change=setting("execution", max_orders=3, max_order_usd=5000, max_run_usd=20000)
    ),
    "a sell that the broker would refuse": Situation(
        flags=(*CONFIRM, "--what-if"),
        gateway=_orders(OrderBehaviour(what_if=WhatIfSetup(refusal=NO_MARGIN)), "GDX"),
    ),
    "too little excess liquidity": Situation(
        change=setting("rebalance", min_excess_liquidity_usd=79000)
    ),
    "a damaged journal": Situation(change=_damage_journal),
    "a state directory that is a file": Situation(change=_state_is_a_file),
}
UNFILLED: Final = {
    "one order is refused": Situation(
        gateway=_orders(
            OrderBehaviour(reject=Rejection(code=201, text="no trading permission")), "GDX"
        )
    ),
    "a read-only API at the order": Situation(
        gateway=_orders(
            OrderBehaviour(reject=Rejection(code=321, text=READ_ONLY, told="error_only"))
        ),
        change=setting("execution", algo_preference="none", batch_orders="false"),
    ),
    "a question that became an order": Situation(
        flags=(*CONFIRM, "--what-if"),
        gateway=_orders(
            OrderBehaviour(what_if=WhatIfSetup(answer="order"), never_fills=True), "GDX"
        ),
    ),
    "a price cap until the time limit": Situation(
        gateway=_orders(
            OrderBehaviour(
                never_fills=True, notices=(Notice(code=2161, text="Price is capped at 36.10"),)
            ),
            "GDX",
        ),
        change=setting("execution", order_timeout_sec="0.5"),
    ),
    "an order that is never acknowledged": Situation(
        gateway=_orders(OrderBehaviour(silence="lost"), "MGK"), change=_one_order
    ),
    "an order that ends without a reason": Situation(
        gateway=_orders(OrderBehaviour(reject=Rejection(told="status_only", text="")), "MGK"),
        change=setting("rebalance", per_holding_band_bps="900"),
    ),
    "no buys because the sells did not fill": Situation(
        gateway=sample(
            order_rules=(OrderRule(then=OrderBehaviour(never_fills=True), sides=("SELL",)),)
        ),
        change=setting("execution", order_timeout_sec="0.5"),
    ),
}
BY_CODE: Final[dict[int, dict[str, Situation]]] = {
    2: INPUT,
    3: LOST,
    5: REFUSED,
    4: UNFILLED,
}
ALL: Final = {
    f"exit {code}: {name}": one for code, group in BY_CODE.items() for name, one in group.items()
}

_NEUTRAL: Final = (
    (re.compile(r"(?<=\] host\) is not known: )[^;]+"), "REASON"),
    (re.compile(r"\[(Errno|WinError) \d+\] [^;]+"), "REASON"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\d{8}T\d{6}Z"), "RUN"),
    (re.compile(r"it opens \w{3} \d+ \w{3} .+? \([^)]+ UTC\)"), "it opens TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?"), "TIME"),
)


def told(done: Done, place: Workplace) -> str:
    """What the command said of its end, without what differs from run to run."""
    shown = done.err
    if done.code == ExitCode.UNFILLED:
        _, _, summary = done.out.rpartition("symbol side planned")
        shown = summary.partition("\n\n")[2] or done.out or done.err
    shown = (
        "\n".join(filter(None, shown.splitlines()))
        .replace(str(state_dir(is_simulated=False).parent), "DIR/state")
        .replace(str(place.path.parent), "DIR")
        .replace("\\", "/")
    )
    for pattern, word in _NEUTRAL:
        shown = pattern.sub(word, shown)
    return shown
