"""The rooms of the code and what each may import, as data, checked on the syntax tree.

A module is ruled by the first line of ``ROOMS`` that matches its path. Adding a module that no
line matches fails here: decide which room it belongs in.
"""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 300
STDLIB = set(sys.stdlib_module_names)

CORE = ("src.core", "src.errors", "src.settings", "src.text")
EDGE = (*CORE, "src.interrupt", "src.known_accounts")
ANY = ("src",)
STREET = (
    *("account_books", "accounting", "approval", "cancelling", "checking", "earlier_runs"),
    *("ending", "glance", "history", "maintenance", "planning"),
    *(
        "presenting",
        "recovery",
        "runs",
        "session",
        "simulated",
        "snapshot",
        "trading",
        "user_files",
    ),
)


@dataclass(frozen=True)
class Room:
    """Modules matching ``path`` may import the standard library and what starts with ``may``."""

    path: str
    may: tuple[str, ...]
    third_party: tuple[str, ...] = ()
    is_pure: bool = False


ROOMS = (
    Room("src/errors.py", ()),
    Room("src/settings.py", ()),
    Room("src/text.py", ("src.core.money",), is_pure=True),
    Room("src/known_accounts.py", ("src.core.accounts",)),
    Room("src/core/portfolios.py", (), is_pure=True),
    Room("src/core/account_records.py", ("src.core.portfolios",), is_pure=True),
    Room("src/core/wish_records.py", ("src.core.portfolios",), is_pure=True),
    Room("src/core/market_records.py", ("src.core.portfolios",), is_pure=True),
    Room("src/core/order_records.py", ("src.core.portfolios",), is_pure=True),
    Room(
        "src/core/records.py",
        (
            "src.core.portfolios",
            "src.core.account_records",
            "src.core.market_records",
            "src.core.order_records",
            "src.core.wish_records",
        ),
        is_pure=True,
    ),
    Room("src/core/money.py", ("src.errors",), is_pure=True),
    Room("src/core/preview*.py", CORE, ("tabulate",), is_pure=True),
    Room("src/core/*.py", CORE, is_pure=True),
    Room("src/io/validate_*.py", ANY),
    Room("src/io/history_totals.py", CORE, ("pandas",)),
    Room("src/io/*.py", (*CORE, "src.io", "src.known_accounts")),
    Room("src/broker/ports.py", ("src.core", "src.settings")),
    Room("src/broker/execution*.py", (*EDGE, "src.broker")),
    Room("src/broker/*.py", (*EDGE, "src.broker"), ("ib_async",)),
    Room("src/simulator/*.py", ("src.simulator",)),
    Room("src/terminal.py", ()),
    Room("src/interrupt.py", ("src.errors", "src.terminal")),
    Room("src/prompt.py", (*EDGE, "src.terminal")),
    Room("src/waiting.py", (*EDGE, "src.broker.waits", "src.terminal"), ("rich",)),
    Room("src/console.py", ("src.errors", "src.known_accounts", "src.text")),
    Room("src/cli.py", (*EDGE, "src.io.logs", "src.console", "src.prompt")),
    Room("src/inputs.py", ("src.core", "src.settings")),
    Room("src/progress.py", (*EDGE, "src.broker.waits", "src.terminal")),
    Room("src/options.py", ("src.cli", "src.core.money", "src.core.wish_records", "src.text")),
    # The street: what the entry points are made of. Here alone io and broker meet.
    *(Room(f"src/{name}.py", ANY) for name in STREET),
    Room("rebalance.py", ANY),
    Room("src/__init__.py", ()),
)
IMPURE_MODULES = {
    *("asyncio", "io", "logging", "os", "pathlib", "random", "secrets", "select", "shutil"),
    *("signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid"),
}
IMPURE_NAMES = {"open", "print", "input", "float", "Any", "eval", "exec", "globals"}
EXCUSED_NAMES = {  # JSON has no other number with a fraction
    "src/core/json_values.py": frozenset({"float"})
}
CLOCK_READINGS = {"now", "utcnow", "today"}

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("src/**/*.py"), *ROOT.glob("rebalance.py"))
)


def room_of(module: str) -> Room | None:
    return next((room for room in ROOMS if fnmatch.fnmatchcase(module, room.path)), None)


def tree_of(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), module)


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Every imported name, dotted, wherever in the module the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def starts_with(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def test_there_are_modules_to_check() -> None:
    assert "src/core/sizing.py" in MODULES
    assert "rebalance.py" in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_allows(module: str) -> None:
    room = room_of(module)
    assert room, f"{module} is in no room: give it a line in ROOMS"
    for name in imports_of(tree_of(module)):
        package = name.partition(".")[0]
        if package in STDLIB:
            continue
        allowed = room.may if package == "src" else room.third_party
        assert starts_with(name, allowed), f"{module} must not know {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if (r := room_of(m)) and r.is_pure])
def test_pure_modules_read_no_file_clock_chance_or_environment(module: str) -> None:
    tree = tree_of(module)
    for name in imports_of(tree):
        assert name.partition(".")[0] not in IMPURE_MODULES, f"{module} imports {name}"
        assert name != "typing.Any", f"{module} imports Any"
    forbidden = IMPURE_NAMES - EXCUSED_NAMES.get(module, frozenset())
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            assert node.id not in forbidden, f"{module}:{node.lineno} uses {node.id}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in CLOCK_READINGS, f"{module}:{node.lineno} reads a clock"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_one_idea_long(module: str) -> None:
    lines = len((ROOT / module).read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{module} has {lines} lines: split it by idea"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(tree_of(module)), f"{module} has no docstring"


def packages() -> Iterator[Path]:
    for top in ("src", "tests"):
        for directory in (ROOT / top, *(ROOT / top).rglob("*")):
            if directory.is_dir() and any(directory.glob("*.py")):
                yield directory


def test_packages_have_an_init_that_holds_a_docstring_and_nothing_else() -> None:
    for directory in packages():
        init = directory / "__init__.py"
        assert init.is_file(), f"{directory} has no __init__.py"
        tree = ast.parse(init.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), f"{init} has no docstring"
        assert len(tree.body) == 1, f"{init} holds more than a docstring"


def test_the_table_of_rooms_has_no_line_that_matches_nothing() -> None:
    for room in ROOMS:
        assert any(room_of(module) is room for module in MODULES), f"{room.path} is no more"
