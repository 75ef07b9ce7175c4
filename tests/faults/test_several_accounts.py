"""Two accounts in one command: broken orders, kills and answers of all kinds, and what must hold.

No order goes to an account but that of its plan, no fill stands in another account's report, and a
death in the second account leaves the first one's books closed. Orders are counted on the gateway's
own record.
"""

from __future__ import annotations

import functools
import io
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

import pytest

import rebalance
from src.core.orders.ref import parse_order_ref
from src.core.run.state import RunState
from src.core.running.parts import Terms
from src.io.files.state_dir import journal_path, state_dir
from src.io.journal.db import open_journal
from src.simulator.exchange import Exchange
from src.simulator.scenario.records import FillStep, OrderBehaviour, OrderRule, Rejection, Scenario
from src.terminal.cli import run_main
from tests.commands.kit import Gateway, orders_among, running_gateway
from tests.faults.gateway_record import symbol_of
from tests.faults.market import CLIENT_ID, PLAN, PORTFOLIO, account, market, settings_text
from tests.faults.patience import QUICK, SHORT
from tests.faults.stage import KILLED, read_rows, reported

FIRST, SECOND = "DU1111111", "DU2222222"
ACCOUNTS: Final = {"first": FIRST, "second": SECOND}
SEEDS: Final = 8
MANY: Final = 200
ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_SEC: Final = 60
_REF: Final = 26


@dataclass(kw_only=True)
class Done:
    """One command that has ended; ``posts`` are the reports it wrote, by account."""

    code: int
    text: str
    posts: dict[str, list[Path]] = field(default_factory=dict)


class Household:
    """A login of two accounts with the same holdings, a settings file, any number of commands."""

    def __init__(self, home: Path, gateway: Gateway) -> None:
        self.home = home
        self.gateway = gateway
        text = settings_text(gateway.port, str(home / "reports"))
        lines = [line for line in text.splitlines() if not line.startswith("account_id")]
        lines += [f"[account:{name}]\nid = {one}" for name, one in ACCOUNTS.items()]
        self.config = home / "settings.ini"
        self.config.write_text("\n".join(lines), encoding="utf-8")
        csv = home / "portfolio.csv"
        csv.write_text(PORTFOLIO, encoding="utf-8")
        both = self.config.read_text(encoding="utf-8").replace("\nid =", f"\ncsv = {csv}\nid =")
        self.config.write_text(both, encoding="utf-8")

    def run(self, capsys: pytest.CaptureFixture[str], *flags: str, answers: str = "y\ny\n") -> Done:
        """Run ``rebalance.py`` in this process."""
        seen, before = self._posts(), sys.stdin
        sys.stdin = io.StringIO(answers)
        try:
            code = run_main(lambda: rebalance.main([*flags, "--config", str(self.config)]))
        finally:
            sys.stdin = before
        captured = capsys.readouterr()
        return self._done(code, captured.out + captured.err, seen)

    def run_mortal(self, what: str, number: int, moment: str) -> Done:
        """Run it in a process of its own that dies at this point."""
        argv = [sys.executable, "-m", "tests.faults.launcher", what, str(number), moment]
        argv += ["--confirm", "--all", "--config", str(self.config)]
        seen = self._posts()
        done = subprocess.run(
            argv,
            input="y\ny\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            timeout=LIMIT_SEC,
            check=False,
        )
        return self._done(done.returncode, done.stdout + done.stderr, seen)

    def executed(self, name: str) -> dict[str, Decimal]:
        """Signed shares executed for our client in an account, as the gateway knows."""
        exchange = self.gateway.server.exchange
        assert isinstance(exchange, Exchange)
        found: dict[str, Decimal] = {}
        for one in exchange._floor.book.executions.values():
            live = one.live
            if live.client_id == CLIENT_ID and live.order.account == ACCOUNTS[name]:
                symbol = symbol_of(live.contract.con_id)
                signed = one.shares if live.is_buy else -one.shares
                found[symbol] = found.get(symbol, Decimal(0)) + signed
        return {symbol: shares for symbol, shares in found.items() if shares}

    def journal(self, name: str) -> tuple[frozenset[str], tuple[RunState, ...]]:
        """The references on record for an account, and its open runs."""
        one = ACCOUNTS[name]
        with open_journal(journal_path(state_dir(is_simulated=False), one), one) as journal:
            return journal.order_refs(), journal.open_runs()

    def check_orders(self) -> None:
        """Every order went to the account that has it on record, and was sent once."""
        wire = [one for one in self.gateway.server.wire_log if one.name == "PlaceOrder"]
        sent = orders_among((one.name, one.fields) for one in wire)
        refs = [str(one.fields[_REF]) for one in wire]
        assert len(refs) == len(set(refs))
        assert {one.account for one in sent} <= set(ACCOUNTS.values())
        runs: list[set[str]] = []
        for name, account_id in ACCOUNTS.items():
            own = {ref for ref, one in zip(refs, sent, strict=True) if one.account == account_id}
            assert own <= self.journal(name)[0], "an order that its account knows nothing of"
            runs.append({ref.run_id for text in own if (ref := parse_order_ref(text))})
        assert not runs[0] & runs[1], "a run id of two accounts"

    def _posts(self) -> dict[str, list[Path]]:
        return {
            name: sorted((self.home / "reports" / name).glob("rebalance_post_*"))
            for name in ACCOUNTS
        }

    def _done(self, code: int, text: str, seen: Mapping[str, list[Path]]) -> Done:
        now = self._posts()
        posts = {name: [one for one in now[name] if one not in seen[name]] for name in ACCOUNTS}
        return Done(code=code, text=text, posts=posts)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in minutes takes moments."""
    monkeypatch.setattr("src.app.trading.Terms", functools.partial(Terms, patience=QUICK))
    for name, seconds in SHORT.items():
        monkeypatch.setattr(name, seconds)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as open_gateways:
        yield open_gateways


def household(stack: ExitStack, home: Path, setting: Scenario) -> Household:
    home.mkdir(parents=True, exist_ok=True)
    return Household(home, stack.enter_context(running_gateway(setting)))


def login(*rules: OrderRule) -> Scenario:
    accounts = tuple(account(account_id=one) for one in ACCOUNTS.values())
    return market(*rules, accounts=accounts)


# --- orders that go wrong ---------------------------------------------------------------------


def drawn(chance: random.Random) -> OrderBehaviour:
    """One way in which an order goes, well or badly."""
    part = FillStep(after_sec=0.01, quantity=Decimal(chance.randint(1, 20)))
    return chance.choice(
        [
            OrderBehaviour(),
            OrderBehaviour(events=chance.choice(["status_first", "repeated", "reversed"])),
            OrderBehaviour(reject=Rejection(code=201, text="no")),
            OrderBehaviour(fills=(part,)),
            OrderBehaviour(never_fills=True),
            OrderBehaviour(fill_delay_sec=chance.choice([0.0, 0.3])),
            OrderBehaviour(silence="mute"),
        ]
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_r418_no_order_in_the_wrong_account_no_fill_in_the_wrong_report(
    seed: int, stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible
    numbers = chance.sample(range(1, 9), k=3)
    rules = (OrderRule(then=drawn(chance), numbers=(number,)) for number in numbers)
    home = household(stack, tmp_path / "home", login(*rules))
    answers = "".join(f"{chance.choice('yyynq')}\n" for _ in ACCOUNTS)
    done = home.run(capsys, "--confirm", "--all", answers=answers)
    assert done.code in (0, 4), done.text
    home.check_orders()
    for name, posts in done.posts.items():
        filled = reported(read_rows(posts[0])) if posts else {}
        assert filled == home.executed(name), done.text
        assert {row["account_id"] for post in posts for row in read_rows(post)} <= {ACCOUNTS[name]}
    is_traded = [bool(posts) for posts in done.posts.values()]
    said_yes = [one == "y" for one in answers.split()]
    assert is_traded == [said_yes[0], said_yes[1] and not answers.startswith("q")]
    if done.code == 0:
        assert all(home.journal(name)[1] == () for name in ACCOUNTS)


@pytest.mark.usefixtures("quick")
def test_r418_a_fill_that_names_the_other_account_is_in_no_report(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stray = OrderBehaviour(fills=(FillStep(after_sec=0.01, report_account=SECOND),))
    home = household(stack, tmp_path / "home", login(OrderRule(then=stray, numbers=(1,))))
    done = home.run(capsys, "--confirm", "--all", answers="y\nn\n")
    assert done.code == 4
    (post,) = done.posts["first"]
    (row,) = (one for one in read_rows(post) if one["symbol"] == "AAA")
    assert row["status"] == "Unresolved"
    assert done.posts["second"] == []
    assert "another account" in done.text, "an alarm says so"


# --- deaths -----------------------------------------------------------------------------------


def kill_at(
    home: Household, capsys: pytest.CaptureFixture[str], point: tuple[str, int, str]
) -> bool:
    """Die at the point, settle, and trade the rest; False: the command went by it."""
    first = home.run_mortal(*point)
    if first.code != KILLED:
        assert first.code in (0, 4), first.text
        return False
    home.check_orders()
    if home.executed("second"):
        assert home.journal("first")[1] == (), "its books were closed before the second began"
    settled = home.run(capsys, "--recover")
    assert settled.code in (0, 5), settled.text
    for _ in range(4):
        again = home.run(capsys, "--confirm", "--all")
        if again.code == 0 and not any(again.posts.values()):
            break
    home.check_orders()
    for name in ACCOUNTS:
        for symbol, shares in home.executed(name).items():
            assert abs(shares) <= abs(PLAN[symbol]), (name, symbol)
    return True


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "point", [("wire", 2, "after"), ("wire", 6, "before"), ("wire", 7, "after")]
)
def test_r418_some_deaths_with_two_accounts(
    stack: ExitStack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    point: tuple[str, int, str],
) -> None:
    assert kill_at(household(stack, tmp_path / "home", login()), capsys, point)


@pytest.mark.usefixtures("quick")
def test_r418_a_death_in_the_second_account_leaves_the_first_ones_books_closed(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = household(stack, tmp_path / "home", login())
    died = home.run_mortal("wire", 6, "after")
    assert died.code == KILLED
    assert home.journal("first")[1] == ()
    (post,) = died.posts["first"]
    assert reported(read_rows(post)) == home.executed("first") == PLAN
    assert len(home.journal("second")[1]) == 1
    assert died.posts["second"] == []


@pytest.mark.sweep
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["journal before", "journal after", "wire before", "wire after"])
def test_r418_every_death_with_two_accounts(
    stack: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    what, moment = kind.split()
    deaths = 0
    for number in count(1):
        home = tmp_path / f"{number}"
        for variable in ("XDG_STATE_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(variable, str(home / "state"))
        if not kill_at(household(stack, home, login()), capsys, (what, number, moment)):
            break
        deaths += 1
    assert 1 <= deaths < MANY
