"""The flags of ``rebalance.py``: parsed, checked against each other, and folded into one record."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from src.terminal.cli import (
    CommandParser,
    add_account_flag,
    add_config_flag,
    add_csv_flag,
    as_path,
    as_word,
)

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from src.core.records.wishes import Wishes

VERSION = "1.0.0"


class Task(Enum):
    """What one invocation is for."""

    DRY_RUN = "dry run"
    CONFIRM = "confirm"
    CHECK = "check"
    RECOVER = "recover"
    REBUILD = "rebuild"


class Rehearsal(NamedTuple):
    """What ``--simulate`` is to play: a scenario by name or file (empty: the sample account).

    ``keep`` is the file in which the account goes on from run to run.
    """

    scenario: str = ""
    keep: Path | None = None

    @property
    def recovery_flags(self) -> tuple[str, ...]:
        """What ``--recover`` needs beside it to settle a run of this rehearsal."""
        return ("--simulate", *(("--keep", as_word(self.keep)) if self.keep else ()))


class Options(NamedTuple):
    """One invocation.

    ``is_explicit`` is false when the dry run is only the default, ``overrules_confirm`` is true
    when both were asked for. ``wishes`` is None when there are none. A named tuple, as it loads
    faster than a dataclass.
    """

    task: Task
    config: Path
    csv: Path
    is_explicit: bool = True
    overrules_confirm: bool = False
    read_only: bool = False
    simulate: bool = False
    rehearsal: Rehearsal = Rehearsal()
    from_snapshot: Path | None = None
    as_json: bool = False
    save: bool = False
    html: bool = False
    run_id: str = ""
    cancel: bool = False
    what_if: bool = False
    wishes: Wishes | None = None
    accounts: tuple[str, ...] = ()
    all_accounts: bool = False


def read_options(argv: Sequence[str] | None = None) -> Options:
    """Parse the command line; a wrong one ends the program with exit code 2 and one line."""
    parser = _parser()
    flags = parser.parse(argv)
    tasks = ("confirm", "check", "recover", "rebuild")
    wanted = [name for name in tasks if getattr(flags, name) not in (None, False)]
    if flags.as_json and flags.confirm:
        parser.error("--json shows a plan and cannot ask: leave out --confirm")
    if len(wanted) > 1 or (flags.dry_run and wanted and wanted != ["confirm"]):
        one_of = "--confirm, --check, --recover, --rebuild"
        parser.error(f"--{wanted[-1]} stands alone: choose one of {one_of}")
    _check_pairs(flags, parser)
    if "" in (flags.accept, flags.rebuild):
        parser.error("a run id is missing: it looks like 20250131T143000Z")
    if wanted and not flags.dry_run:
        _check_plan_only(flags, wanted[0], parser)
    return Options(
        task=Task.DRY_RUN if flags.dry_run or not wanted else Task(wanted[0]),
        config=flags.config,
        csv=flags.csv,
        is_explicit=bool(flags.dry_run or wanted),
        overrules_confirm=flags.dry_run and flags.confirm,
        read_only=flags.read_only,
        simulate=flags.simulate is not None,
        rehearsal=Rehearsal(flags.simulate or "", flags.keep),
        from_snapshot=flags.from_snapshot,
        as_json=flags.as_json,
        save=flags.save,
        html=flags.html,
        run_id=flags.rebuild or flags.accept or "",
        cancel=flags.cancel,
        what_if=flags.what_if,
        wishes=_wishes(flags, wanted[0] if wanted else "", parser),
        accounts=flags.account,
        all_accounts=flags.all,
    )


def _check_pairs(flags: Namespace, parser: CommandParser) -> None:
    """Flags that need another one, or forbid it."""
    is_file, is_kept = flags.from_snapshot, flags.save
    for is_wrong, why in (
        (flags.accept is not None and not flags.recover, "--accept goes with --recover"),
        (flags.cancel and not flags.recover, "--cancel goes with --recover"),
        (
            is_kept and not is_file,
            "--save goes with --from-snapshot: every other run files its plan anyway",
        ),
        (
            flags.html and is_file and not is_kept,
            "--html files a page: with --from-snapshot it goes with --save",
        ),
        (flags.keep and flags.simulate is None, "--keep goes with --simulate"),
        (
            flags.what_if and is_file,
            "--what-if asks the broker, --from-snapshot has none: choose one of them",
        ),
    ):
        if is_wrong:
            parser.error(why)


def _check_plan_only(flags: Namespace, task: str, parser: CommandParser) -> None:
    """What concerns a plan that is only looked at goes with no other task."""
    if flags.from_snapshot:
        parser.error(f"--from-snapshot plans without a broker: leave out --{task}")
    if flags.as_json:
        parser.error(f"--json shows a plan: leave out --{task}")
    if flags.html and task != "confirm":
        parser.error(f"--html shows a plan: leave out --{task}")
    if flags.what_if and task != "confirm":
        parser.error(f"--what-if asks about a new plan: leave out --{task}")


def _wishes(flags: Namespace, task: str, parser: CommandParser) -> Wishes | None:
    """What this run's plan is asked for besides the targets; None for nothing."""
    skip = _symbols("--skip", flags.skip, parser)
    only = _symbols("--only", flags.only, parser)
    given = {
        "--skip": skip,
        "--only": only,
        "--no-sell": flags.no_sell,
        "--invest": flags.invest is not None,
        "--withdraw": flags.withdraw is not None,
    }
    named = [flag for flag, value in given.items() if value]
    if not named:
        return None
    if task in ("recover", "rebuild"):
        parser.error(f"{named[0]} is a wish for a new plan: leave out --{task}")
    if skip and only:
        parser.error("--skip leaves symbols alone, --only all others: choose one of them")
    for other in ("--invest", "--no-sell"):
        if given["--withdraw"] and given[other]:
            parser.error(f"--withdraw sells to take money out: leave out {other}")
    from src.core.records.wishes import Wishes

    return Wishes(
        no_sell=flags.no_sell,
        skip=skip,
        only=only,
        invest=flags.invest is not None,
        invest_usd=_amount("--invest", flags.invest, parser) if flags.invest else None,
        withdraw_usd=(
            None if flags.withdraw is None else _amount("--withdraw", flags.withdraw, parser)
        ),
    )


def _amount(flag: str, text: str, parser: CommandParser) -> Decimal:
    """A plain amount in USD above 0."""
    from src.base.money import parse_decimal
    from src.base.text import shown_value

    try:
        amount_usd = parse_decimal(text)
    except ValueError as error:
        parser.error(
            f"{flag} {shown_value(text)}: {error}; an amount in USD is meant, such as 2000"
        )
    if amount_usd <= 0:
        parser.error(f"{flag} {shown_value(text)}: the amount must be above 0")
    return amount_usd


def _symbols(flag: str, texts: Sequence[str] | None, parser: CommandParser) -> tuple[str, ...]:
    """Symbols as given with commas, in upper case, each once; CASH is none."""
    if texts is None:
        return ()
    found = [one.strip().upper() for text in texts for one in text.split(",")]
    if "" in found:
        parser.error(f"{flag} needs symbols, with commas between them: {flag} SPY,BND")
    if "CASH" in found:
        parser.error(f"{flag} CASH: CASH is no symbol that could be traded")
    return tuple(dict.fromkeys(found))


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="rebalance.py",
        description="Bring an Interactive Brokers account back to its model ETF portfolio.\n"
        "Without flags it is a dry run: the plan is shown and nothing is sent.",
        examples=(
            "python rebalance.py --dry-run --simulate         a first look, no account needed",
            "python rebalance.py --confirm --simulate rejected_order   practise trouble",
            "python rebalance.py --config config/settings.local.ini",
            "python rebalance.py --confirm --config config/settings.local.ini",
            "python rebalance.py --from-snapshot snapshot.json --json",
            "python rebalance.py --invest 2000                buy for 2,000, sell nothing",
            "python rebalance.py --withdraw 10000             sell for 10,000 to take out",
            "python rebalance.py --skip SPY,BND               leave these alone today",
            "python rebalance.py --check                      are trades due? for a scheduler",
            "python rebalance.py --what-if                    what it will cost, by the broker",
            "python rebalance.py --recover",
            "python -m src.doctor                             is all as a run needs it?",
            "python -m src.history                            what was traded, what did it cost?",
        ),
    )
    parser.add_argument("--version", action="version", version=f"ibkr-etf-rebalancer {VERSION}")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show the plan and stop (the default; wins)",
    )
    parser.add_argument(
        "--confirm", action="store_true", help="show the plan, ask, and trade after a yes"
    )
    parser.add_argument(
        "--read-only", action="store_true", help="never send anything, whatever else is said"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="for a scheduler: one line per account, exit code 10 when trades are due",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--simulate",
        nargs="?",
        const="",
        metavar="SCENARIO",
        help="connect to the built-in simulated gateway, which plays a scenario by name or file "
        "(USAGE.md lists them), or else the sample account",
    )
    parser.add_argument(
        "--keep",
        type=as_path,
        metavar="FILE",
        help="with --simulate: go on with the account of this file, and leave it there again",
    )
    source.add_argument(
        "--from-snapshot",
        type=as_path,
        metavar="FILE",
        help="plan from a file of `python -m src.snapshot --csv`, without any broker",
    )
    parser.add_argument(
        "--save",
        action="store_true",
        help="with --from-snapshot: file the plan in report_dir, which is else left alone",
    )
    parser.add_argument(
        "--html", action="store_true", help="file the plan as a page to look at in a browser, too"
    )
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print the plan as one JSON object"
    )
    parser.add_argument(
        "--what-if",
        action="store_true",
        help="ask the broker what the plan costs (commission, margin, refusals), sending no order",
    )
    _add_wishes(parser)
    add_config_flag(parser)
    add_csv_flag(parser)
    accounts = parser.add_mutually_exclusive_group()
    add_account_flag(accounts)
    accounts.add_argument(
        "--all", action="store_true", help="all accounts of the settings, in the file's order"
    )
    parser.add_argument(
        "--recover", action="store_true", help="settle what an earlier run left, then stop"
    )
    parser.add_argument(
        "--accept",
        metavar="RUN_ID",
        help="with --recover: close what cannot be proven of that run, on your word",
    )
    parser.add_argument(
        "--cancel",
        action="store_true",
        help="with --recover: first cancel what that run's orders still work, after a yes",
    )
    parser.add_argument("--rebuild", metavar="RUN_ID", help="write a run's post-trade report again")
    return parser


def _add_wishes(parser: CommandParser) -> None:
    """The wishes of one run."""
    wishes = parser.add_argument_group("wishes of this run")
    wishes.add_argument(
        "--invest",
        nargs="?",
        const="",
        metavar="USD",
        help="put new money to work: buy with so much cash, or with all above the CASH target",
    )
    wishes.add_argument(
        "--withdraw", metavar="USD", help="sell until so much cash is free to take out"
    )
    wishes.add_argument("--no-sell", action="store_true", help="sell nothing")
    for flag, text in (
        ("--skip", "leave these symbols alone: they keep their weight"),
        ("--only", "trade these symbols alone: all others keep their weight"),
    ):
        wishes.add_argument(flag, action="append", metavar="SYMBOL,...", help=text)
