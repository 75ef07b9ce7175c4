"""The rooms of the house and what each may import, as data, checked on the syntax tree.

A room is a folder, or one module that keeps a fixed name at the door of others. ``ROOMS`` stands
from the ground up: a room may import the rooms that its line names, and a line names only rooms
above it in the table. So every arrow points the same way, and there is no circle of rooms.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_MODULES = 15
"""In one folder: more are a sign that two subjects share it."""
STDLIB = set(sys.stdlib_module_names)


@dataclass(frozen=True)
class Room:
    """Modules of ``place`` may import the standard library, ``third_party``, and ``may``."""

    place: str
    may: str = ""
    third_party: tuple[str, ...] = ()
    is_pure: bool = False


def pure(place: str, may: str = "", *third_party: str) -> Room:
    return Room(place, may, third_party, is_pure=True)


ROOMS = (
    Room("src"),
    Room("src.base"),
    # What is decided, without a file, a clock or a socket.
    pure("src.core.records"),
    pure("src.core.calendar", "base core.records"),
    pure("src.core.journal", "base core.records"),
    pure("src.core.orders", "base core.records core.calendar core.journal"),
    pure("src.core.account", "base core.records"),
    pure("src.core.rounding", "base core.records"),
    pure("src.core", "base core.records core.orders core.rounding"),
    pure("src.core.wishes", "base core.records core.rounding core"),
    pure("src.core.showing", "base core.records core.wishes core", "tabulate"),
    pure("src.core.preview", "base core.records core.account core.wishes core.showing core"),
    pure("src.core.costs", "base core.records core.orders core.showing core"),
    pure("src.core.run", "base core.records core.journal core.orders core.wishes core"),
    pure(
        "src.core.permission",
        "base core.records core.calendar core.orders core.account core.costs core.run core",
    ),
    pure(
        "src.core.running",
        "base core.records core.account core.calendar core.journal core.orders core.permission"
        " core.run core",
    ),
    pure("src.core.health", "base core.records core.calendar core.orders core.permission core"),
    pure(
        "src.core.history", "base core.records core.journal core.orders core.run core.wishes core"
    ),
    # Files.
    Room("src.io.files", "base core.records core.orders"),
    Room("src.io.portfolio_file", "base core.records core.showing io.files"),
    Room("src.io.settings_file", "base core.records io.files io.portfolio_file"),
    Room("src.io.journal", "base core.journal core.run io.files"),
    Room("src.io.reports", "base core.records core.orders core.history io.files"),
    Room("src.io.reports.page_file", "base core.history io.files", ("jinja2",)),
    Room("src.io.reports.history_totals", "base core.history", ("pandas",)),
    Room(
        "src.io",
        "base core.records core.run core.showing core.wishes"
        " io.files io.portfolio_file io.reports io.settings_file",
    ),
    # The broker.
    Room("src.broker.wire", "base"),
    Room(
        "src.broker.client",
        "base core.records core.account core.calendar core.costs core.orders core.showing"
        " broker.wire",
        ("ib_async",),
    ),
    Room(
        "src.broker.reading",
        "base core.records core.orders core.showing core broker.wire broker.client",
        ("ib_async",),
    ),
    Room("src.broker.ports", "base core.records core.orders"),
    Room(
        "src.broker.sending",
        "base core.records core.costs core.orders core.permission core.running"
        " broker.ports broker.wire broker.client broker.reading",
    ),
    Room(
        "src.broker.execution",
        "base core.records core.journal core.orders core.permission core.run core.running core"
        " broker.ports broker.wire broker.sending",
    ),
    Room(
        "src.broker.ibkr_client",
        "base core.costs core.permission broker.ports broker.reading broker.sending",
    ),
    Room("src.broker"),
    # The simulated gateway, which knows nothing of the program.
    Room("src.simulator.messages"),
    Room("src.simulator.scenario"),
    Room("src.simulator.outbox", "simulator.messages simulator.scenario"),
    Room("src.simulator.market", "simulator.messages simulator.scenario simulator.outbox"),
    Room(
        "src.simulator.accounts",
        "simulator.messages simulator.scenario simulator.outbox simulator.market",
    ),
    Room(
        "src.simulator.quotes",
        "simulator.messages simulator.scenario simulator.outbox simulator.market"
        " simulator.accounts",
    ),
    Room(
        "src.simulator.orders",
        "simulator.messages simulator.scenario simulator.outbox simulator.market"
        " simulator.accounts simulator.quotes",
    ),
    Room("src.simulator.gateway", "simulator.messages simulator.scenario simulator.outbox"),
    Room(
        "src.simulator",
        "simulator.messages simulator.scenario simulator.outbox simulator.accounts"
        " simulator.orders simulator.gateway",
    ),
    # What wires them: here alone files and broker meet.
    Room("src.terminal", "base core.records core.orders"),
    Room("src.terminal.waiting", "base terminal", ("rich",)),
    Room("src.io.validate_config", "base io terminal"),
    Room(
        "src.app.proposing",
        "base core.records core.account core.calendar core.costs core.orders core.permission"
        " core.preview core.history core.run core.showing core.wishes core"
        " io.files io.portfolio_file io.reports io.reports.page_file io"
        " broker.ports broker.reading broker.ibkr_client"
        " simulator.gateway simulator.scenario simulator terminal terminal.waiting",
    ),
    Room(
        "src.app.books",
        "base core.records core.journal core.orders core.permission core.history core.run"
        " core.running core.wishes core io.files io.journal io.reports io"
        " broker.ports broker.execution broker.ibkr_client terminal app.proposing",
    ),
    Room(
        "src.app",
        "base core.records core.account core.calendar core.health core.history core.journal"
        " core.orders core.permission core.preview core.run core.running core.showing core"
        " io.files io.journal io broker.ports broker.wire broker.client broker.reading"
        " broker.sending broker.execution broker.ibkr_client terminal app.proposing app.books",
    ),
    Room(
        "src.io.validate_portfolios",
        "base core.records core.showing io.portfolio_file io terminal app.proposing",
    ),
    Room(
        "src.snapshot",
        "base core.records core.account core.showing core broker.ports"
        " io.files io.portfolio_file io terminal app.proposing",
    ),
    Room(
        "src.history",
        "base core.history core.records io.files io.journal io.reports io.reports.history_totals"
        " io.reports.page_file io terminal app.proposing",
    ),
    Room(
        "src.doctor",
        "base core.health core.run core io.files io.journal io io.validate_config terminal"
        " app.proposing app",
    ),
    Room("rebalance", "base io io.files terminal app.proposing app.books app"),
)
PLACES = {room.place: room for room in ROOMS}
IMPURE_MODULES = {
    *("asyncio", "io", "logging", "os", "pathlib", "random", "secrets", "select", "shutil"),
    *("signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid"),
}
IMPURE_NAMES = {"open", "print", "input", "float", "Any", "eval", "exec", "globals"}
CLOCK_READINGS = {"now", "utcnow", "today"}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def trees() -> dict[str, ast.Module]:
    return {
        dotted(path): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in (*sorted(ROOT.glob("src/**/*.py")), ROOT / "rebalance.py")
    }


def room_of(module: str) -> Room | None:
    """The module's own line, else that of its folder."""
    is_folder = any(name.startswith(f"{module}.") for name in trees())
    folder = module if is_folder else module.rpartition(".")[0]
    return (not is_folder and PLACES.get(module)) or PLACES.get(folder)


def imports_of(module: str) -> Iterator[tuple[str, int]]:
    """Every imported module or name, dotted, wherever the import stands, and its line."""
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def module_meant(name: str) -> str:
    """The module that an imported dotted name is, or stands in."""
    return name if name in trees() else name.rpartition(".")[0]


def strangers(module: str, room: Room) -> Iterator[str]:
    for name, line in imports_of(module):
        package = name.partition(".")[0]
        if package == "src":
            other = room_of(module_meant(name))
            known = {room.place, *(f"src.{place}" for place in room.may.split())}
            if other is None or other.place not in known:
                yield f"{module}:{line} imports {name}"
        elif package not in STDLIB and package not in room.third_party:
            yield f"{module}:{line} imports {name}"


def impurities(module: str) -> Iterator[str]:
    for name, line in imports_of(module):
        if name.partition(".")[0] in IMPURE_MODULES or name == "typing.Any":
            yield f"{module}:{line} imports {name}"
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
            yield f"{module}:{node.lineno} uses {node.id}"
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_READINGS:
            yield f"{module}:{node.lineno} reads a clock"


def test_there_are_modules_to_check() -> None:
    assert "src.core.sizing" in trees()
    assert "rebalance" in trees()


def test_every_module_is_in_a_room() -> None:
    homeless = [module for module in trees() if room_of(module) is None]
    assert not homeless, f"give each a line in ROOMS, or a folder that has one: {homeless}"


def test_a_module_imports_only_what_its_room_allows() -> None:
    found = [
        word for module in trees() if (room := room_of(module)) for word in strangers(module, room)
    ]
    assert not found, "\n".join(found)


def test_arrows_point_to_rooms_above_in_the_table() -> None:
    places = [room.place for room in ROOMS]
    for at, room in enumerate(ROOMS):
        for other in room.may.split():
            assert f"src.{other}" in places[:at], f"{room.place} must not know src.{other}"


def test_pure_modules_read_no_file_clock_chance_or_environment() -> None:
    found = [
        word
        for module in trees()
        if (room := room_of(module)) and room.is_pure
        for word in impurities(module)
    ]
    assert not found, "\n".join(found)


def test_imports_are_absolute() -> None:
    found = [
        f"{module}:{node.lineno}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not found, found


def test_a_folder_holds_one_subject() -> None:
    count = Counter(
        module.rpartition(".")[0]
        for module in trees()
        if not any(name.startswith(f"{module}.") for name in trees())
    )
    crowded = {folder: modules for folder, modules in count.items() if modules > MAX_MODULES}
    assert not crowded, f"more than {MAX_MODULES} modules: {crowded}"


def test_a_module_says_what_it_is_for() -> None:
    silent = [module for module, tree in trees().items() if not ast.get_docstring(tree)]
    assert not silent, silent


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
    used = {room.place for module in trees() if (room := room_of(module))}
    assert not set(PLACES) - used
    assert len(PLACES) == len(ROOMS)
