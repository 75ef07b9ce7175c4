"""``python -m src.history``: from journals alone, and without a trace on them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from src import history
from src.base.errors import ExitCode
from src.core.history.as_json import CSV_COLUMNS, SCHEMA
from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import (
    CommissionRecorded,
    Declined,
    IntentRecorded,
    JournalEvent,
    PlanRecorded,
    RunClosed,
)
from src.core.orders.ref import make_run_id
from src.core.records.wishes import Wishes
from src.io.files.state_dir import journal_path, prepare_state_dir
from src.io.journal.copy import read_texts
from src.io.journal.db import open_journal
from tests.commands.kit import ROOT, Done, Gateway, Workplace
from tests.kits.builders import ACCOUNT
from tests.kits.journal_kit import PLAN, RUN_ID, approved, closed, filled_line, recorded, whole_run

OTHER = "U7654321"
VERSION_1 = ROOT / "tests" / "data" / "version1"
JANUARY = datetime(2025, 1, 31, 17, tzinfo=timezone.utc)
MARCH = datetime(2025, 3, 14, 18, tzinfo=timezone.utc)
LATE_IN_MARCH = datetime(2025, 3, 31, 23, 59, 59, tzinfo=timezone.utc)

Look = Callable[..., Done]


@pytest.fixture(name="look")
def look_back(place: Workplace) -> Look:
    """Run the command; what programs read names accounts in full."""

    def look(*args: str) -> Done:
        done = place.run(*args, main=history.main)
        if not {"--json", "--csv"} & {*args}:
            assert ACCOUNT not in done.out
            assert all(len(line) <= 80 for line in done.out.splitlines()), done.out
        assert not done.err or done.code or done.err.startswith("warning: ")
        return done

    return look


def told_at(
    started: datetime, events: Iterable[JournalEvent], account: str = ACCOUNT
) -> list[JournalEvent]:
    """The same run at another time, in another account."""
    run_id = make_run_id(started)
    texts = (event_to_text(one).replace(RUN_ID, run_id) for one in events)
    again = [event_from_text(text.replace(ACCOUNT, account)) for text in texts]
    return [
        replace(one, started_utc=started) if isinstance(one, PlanRecorded) else one for one in again
    ]


def write(
    *runs: tuple[datetime, Iterable[JournalEvent]],
    account: str = ACCOUNT,
    is_simulated: bool = False,
) -> Path:
    path = journal_path(prepare_state_dir(is_simulated=is_simulated), account)
    with open_journal(path, account) as journal:
        for started, events in runs:
            told = told_at(started, events, account)
            journal.append_all(
                replace(one, is_simulated=is_simulated) if isinstance(one, PlanRecorded) else one
                for one in told
            )
    return path


def partial_run() -> list[JournalEvent]:
    """The first line fills, the others are left open: the run was killed."""
    return [recorded(), approved(), *filled_line(1)]


def declined_run() -> list[JournalEvent]:
    said_no = Declined(run_id=RUN_ID, at_utc=JANUARY, reason="you said no")
    return [recorded(), said_no, RunClosed(run_id=RUN_ID, at_utc=JANUARY, exit_code=0)]


# --- tables ---------------------------------------------------------------------------------


def test_without_a_journal_there_is_nothing_to_show(look: Look, state_home: Path) -> None:
    done = look()
    assert (done.code, done.out.startswith("There is no journal")) == (0, True)
    assert not state_home.exists()


def test_runs_of_every_account_and_their_totals_per_month(look: Look) -> None:
    write((JANUARY, whole_run()), (MARCH, whole_run()))
    write((LATE_IN_MARCH, whole_run()), account=OTHER)
    shown = look().out
    rows = [line.split() for line in shown.splitlines()]
    assert "Account DU***567: 2 runs" in shown
    assert "Account U***321: 1 run" in shown
    run = ["10,000.00", "7,500.00", "2.84", "?", "?"]
    assert ["20250131T170000Z", "4", *run, "100.00", "0.00", "0"] in rows
    assert ["2025-01", "1", "4", *run] in rows
    assert ["2025-03", "2", "8", "20,000.00", "15,000.00", "5.68", "?", "?"] in rows
    assert not [row for row in rows if row[:1] == ["2025-02"]]
    assert ["U***321", "1", "4", *run] in rows
    assert ["in", "all", "3", "12", "30,000.00", "22,500.00", "8.52", "?", "?"] in rows


def test_open_and_declined_runs_are_told_as_such(look: Look) -> None:
    write((JANUARY, partial_run()), (MARCH, declined_run()))
    rows = {row[0]: row for line in look().out.splitlines() if (row := line.split())}
    assert rows["20250131T170000Z"][-1] == "open"
    assert rows["20250314T180000Z"][1:] == [
        *("0", "0.00", "0.00", "0.00", "0.00", "-", "100.00", "?", "0")
    ]


def test_the_wishes_of_a_run_are_told(look: Look) -> None:
    wishes = Wishes(no_sell=True, skip=("AAA", "BBB"))
    told = [
        (
            replace(one, plan=replace(one.plan, wishes=wishes))
            if isinstance(one, PlanRecorded)
            else one
        )
        for one in whole_run()
    ]
    write((JANUARY, told), (MARCH, whole_run()))
    for shown in (look().out, look("20250131T170000Z").out):
        (line,) = [line for line in shown.splitlines() if " followed " in line]
        assert line.split()[0] == "20250131T170000Z"
        assert line.endswith("followed --no-sell --skip AAA,BBB")
    followed, plain = json.loads(look("--json").out)["runs"]
    assert followed["wishes"] == {"no_sell": True, "skip": ["AAA", "BBB"]}
    assert plain["wishes"] == {}


def test_a_commission_that_is_not_known_is_a_question_mark(look: Look) -> None:
    write((JANUARY, [one for one in whole_run() if not isinstance(one, CommissionRecorded)]))
    assert " 0.00? " in look().out


def test_days_are_utc_and_inclusive(look: Look) -> None:
    write((JANUARY, whole_run()), (MARCH, whole_run()), (LATE_IN_MARCH, whole_run()))
    shown = look("--since", "2025-03-14", "--until", "2025-03-31").out
    assert "20250314T180000Z" in shown
    assert "20250331T235959Z" in shown
    assert "20250131T170000Z" not in shown
    assert "No run on these days" in look("--since", "2026-01-01").out


@pytest.mark.parametrize("name", [OTHER, OTHER.lower(), "U***321", "321", "***4321"])
def test_one_account_is_named_by_its_id_or_its_end(look: Look, name: str) -> None:
    write((JANUARY, whole_run()))
    write((MARCH, whole_run()), account=OTHER)
    shown = look("--account", name).out
    assert "20250314T180000Z" in shown
    assert "20250131T170000Z" not in shown


def test_simulated_runs_are_never_mixed_with_others(look: Look) -> None:
    write((JANUARY, whole_run()))
    write((MARCH, whole_run()), is_simulated=True)
    real, simulated = look().out, look("--simulated").out
    assert "20250131T170000Z" in real
    assert "20250314T180000Z" not in real
    assert simulated.startswith("SIMULATED")
    assert "20250314T180000Z" in simulated
    assert "20250131T170000Z" not in simulated


def test_whatever_an_account_is_worth_the_table_fits(look: Look) -> None:
    events = [event_to_text(one) for one in whole_run()]
    large = [text.replace('"price_usd":"100"', '"price_usd":"98765432109.12"') for text in events]
    assert large != events
    write((JANUARY, map(event_from_text, large)))
    assert " k$" in look().out


# --- one run --------------------------------------------------------------------------------


def test_one_run_is_shown_whole(look: Look) -> None:
    write((JANUARY, whole_run()), (MARCH, partial_run()))
    shown = look("20250314T180000Z").out
    rows = [line.split() for line in shown.splitlines()]
    assert rows[0] == ["Run", "20250314T180000Z", "of", "DU***567"]
    assert "not closed yet; 1 order sent" in shown
    assert ["AAA", "SELL", "50", "50", "100.0000", "5,000.00", "0.71", "?", "Filled"] in rows
    assert "BBB, CCC, DDD: the run ended before this was sent" in shown
    assert "20250131T170000Z" not in shown


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["20250131T170001Z"], "did you mean 20250131T170000Z?"),
        (["nonsense"], "no journal knows the run nonsense"),
        (["20250131T170000Z", "--since", "2025-01-01"], "leave out --since"),
        (["--since", "2025-02-30"], "is no day"),
        (["--since", "1.2.2025"], "it looks like 2025-03-31"),
        (["--since", "2025-02-02", "--until", "2025-02-01"], "is after --until"),
        (["--json", "--csv"], "not allowed with"),
        (["--acount", "567"], "did you mean --account?"),
        (["--account", "999"], "there are DU***567"),
        (["--account", "67"], "there are DU***567"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(look: Look, args: list[str], said: str) -> None:
    write((JANUARY, whole_run()))
    done = look(*args)
    assert (done.code, done.out, len(done.errors)) == (2, "", 1)
    assert said in done.errors[0]


# --- for programs ---------------------------------------------------------------------------


def test_csv_has_fixed_columns_and_no_formula(look: Look) -> None:
    texts = (event_to_text(one).replace('"AAA"', '"=AAA"') for one in whole_run())
    write((JANUARY, map(event_from_text, texts)), (MARCH, partial_run()))
    rows = list(csv.reader(io.StringIO(look("--csv").out)))
    assert tuple(rows[0]) == CSV_COLUMNS
    day, run = "2025-01-31", "20250131T170000Z"
    assert rows[1] == [
        *(day, ACCOUNT, run, "'=AAA", "SELL", "50", "100.0000", "5000.00", "0.71", "", "Filled")
    ]
    assert rows[-1][3:] == ["DDD", "BUY", "0", "", "0.00", "0.00", "0.00", "Skipped"]
    assert len(rows) == 1 + 2 * len(PLAN.tickets)


def test_json_is_one_object_with_full_ids(look: Look) -> None:
    write((JANUARY, whole_run()), (MARCH, partial_run()))
    document = json.loads(look("--json").out)
    assert (document["schema"], document["is_simulated"]) == (SCHEMA, False)
    first, second = document["runs"]
    assert (first["account_id"], first["state"], first["exit_code"]) == (ACCOUNT, "closed", 0)
    assert (second["state"], second["exit_code"], second["drift_after_pct"]) == ("open", None, None)
    assert first["started_utc"] == "2025-01-31T17:00:00+00:00"
    assert (first["bought_usd"], first["commission_usd"], first["slippage_usd"]) == (
        *(10000, 2.84),
        None,
    )
    assert [one["month"] for one in document["months"]] == ["2025-01", "2025-03"]
    assert document["total"]["sold_usd"] == 12500
    assert document["accounts"][0]["account_id"] == ACCOUNT
    (whole,) = json.loads(look("--json", "20250314T180000Z").out)["runs"]
    assert whole["tickets"][1]["error"] == "the run ended before this was sent"


def test_slippage_is_told_against_the_quote_when_sent(look: Look) -> None:
    """Sold 50 at 100 when they were quoted at 101: that cost 50."""
    priced = [
        replace(one, quote_usd=Decimal(101)) if isinstance(one, IntentRecorded) else one
        for one in whole_run()
    ]
    write((JANUARY, priced), (MARCH, partial_run()))
    first, second = json.loads(look("--json").out)["runs"]
    assert (first["tickets"][0]["symbol"], first["tickets"][0]["slippage_usd"]) == ("AAA", 50)
    assert first["slippage_bps"] is not None
    assert second["slippage_usd"] is None
    rows = list(csv.reader(io.StringIO(look("--csv").out)))
    assert rows[1][9] == "50.00"


def test_a_run_records_its_quotes(place: Workplace, gateway: Gateway) -> None:
    assert place.run("--confirm", stdin="y\n").code == ExitCode.OK
    (run,) = json.loads(place.run("--json", main=history.main).out)["runs"]
    assert run["slippage_usd"] is not None
    assert all(one["slippage_usd"] is not None for one in run["tickets"])


def test_nothing_to_show_is_a_whole_document_too(look: Look) -> None:
    assert json.loads(look("--json").out)["runs"] == []
    assert look("--csv").out == ",".join(CSV_COLUMNS) + "\n"


# --- journals that are odd ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clean", "killed", "recovered", "unresolved"])
def test_journals_of_version_1_are_read(look: Look, name: str) -> None:
    path = journal_path(prepare_state_dir(is_simulated=False), ACCOUNT)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((VERSION_1 / f"{name}.sql").read_text(encoding="utf-8"))
    document = json.loads(look("--json").out)
    report = csv.DictReader(io.StringIO((VERSION_1 / f"{name}.csv").read_text(encoding="utf-8")))
    told = [one for run in document["runs"] if run["orders"] for one in run["tickets"]]
    sign = {"BUY": 1, "SELL": -1}
    assert [
        (one["symbol"], sign[one["side"]] * one["filled_shares"], one["status"]) for one in told
    ] == [(row["symbol"], float(row["qty_shares"]), row["status"]) for row in report]
    assert look().code == 0


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.rindex(b'"status":"Filled"')
    data[at + 11] ^= 1
    path.write_bytes(bytes(data))


def test_a_damaged_journal_is_named_and_the_others_are_shown(look: Look) -> None:
    damage(write((JANUARY, whole_run())))
    write((MARCH, whole_run()), account=OTHER)
    done = look()
    assert done.code == 0
    assert "20250314T180000Z" in done.out
    assert "DU***567.sqlite3 cannot be trusted: it is damaged" in done.err
    assert json.loads(look("--json").out)["unread"] != []
    assert look("20250131T170000Z").code == 5


@pytest.mark.parametrize(
    "spoil",
    [
        damage,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no journal" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.rename(path.with_name(f"{path.name}-wal")),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: path.rename(path.with_name("notes.sqlite3")),
    ],
    ids=["flipped", "empty", "foreign", "cut", "wal alone", "directory", "name"],
)
def test_when_no_journal_can_be_read_the_exit_code_is_5(
    look: Look, spoil: Callable[[Path], object]
) -> None:
    spoil(write((JANUARY, whole_run())))
    done = look()
    assert (done.code, done.out) == (5, "")
    assert "warning: " in done.err


def test_a_run_that_nobody_could_have_written_is_named_alone(look: Look) -> None:
    write((JANUARY, whole_run()), (MARCH, [approved()]))
    done = look()
    assert done.code == 0
    assert "run 20250314T180000Z cannot be read from its journal" in done.err
    assert "20250131T170000Z" in done.out


# --- disturbing nothing ---------------------------------------------------------------------


def facts_of(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in directory.iterdir()
    }


@contextlib.contextmanager
def killed_writer(path: Path) -> Iterator[None]:
    """A process that committed to the write-ahead file alone and then was killed."""
    code = (
        "import os, sqlite3, sys\n"
        "one = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "one.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "one.execute('CREATE TABLE more (x)')\n"
        "one.execute('DROP TABLE more')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    assert path.with_name(f"{path.name}-wal").stat().st_size
    yield


@contextlib.contextmanager
def transaction_under_way(path: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as one:
        one.execute("BEGIN IMMEDIATE")
        one.execute("INSERT INTO facts VALUES ('half', 'done')")
        yield
        one.execute("ROLLBACK")


@contextlib.contextmanager
def read_only_directory(path: Path) -> Iterator[None]:
    path.chmod(0o400)
    path.parent.chmod(0o500)
    yield
    path.parent.chmod(0o700)


@pytest.mark.parametrize("state", [killed_writer, transaction_under_way, read_only_directory])
def test_nothing_of_a_journal_is_touched(
    look: Look, state: Callable[[Path], contextlib.AbstractContextManager[None]]
) -> None:
    path = write((JANUARY, whole_run()))
    with state(path):
        before = facts_of(path.parent)
        assert "20250131T170000Z" in look().out
        assert facts_of(path.parent) == before


def test_a_run_that_is_under_way_goes_on(look: Look) -> None:
    write((JANUARY, whole_run()))
    path = journal_path(prepare_state_dir(is_simulated=False), ACCOUNT)
    events = told_at(MARCH, whole_run())
    with open_journal(path, ACCOUNT) as journal:
        journal.append_all(events[:-1])
        row = next(line for line in look().out.splitlines() if line.startswith("20250314T180000Z"))
        assert row.endswith("open")
        journal.append(events[-1])
    assert "open" not in look().out


def test_while_a_run_writes_every_look_is_a_whole_one(state_home: Path) -> None:
    path = journal_path(prepare_state_dir(is_simulated=False), ACCOUNT)
    events = told_at(MARCH, [*whole_run(), *[closed()] * 60])
    texts = [event_to_text(one) for one in events]
    with open_journal(path, ACCOUNT) as made:
        made.append(events[0])

    def work() -> None:
        with open_journal(path, ACCOUNT) as journal:
            for event in events[1:]:
                journal.append(event)

    writer = threading.Thread(target=work)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(read_texts(path, ACCOUNT)[make_run_id(MARCH)])
    writer.join()
    seen.append(read_texts(path, ACCOUNT)[make_run_id(MARCH)])
    assert all(one == texts[: len(one)] for one in seen)
    assert seen[-1] == texts
    assert len(seen) > 1
