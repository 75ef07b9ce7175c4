"""What the program defines and never uses is found here, on the syntax tree, and goes.

A name at the top of a module counts as used when its module reads it outside its own definition
or another module of the program imports it; a member of a class when something of the program
reads an attribute of that name. Use by tests alone is none. What a base class calls is used.
"""

from __future__ import annotations

import ast
import fnmatch
import importlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = (*sorted(ROOT.glob("src/**/*.py")), ROOT / "rebalance.py")

REVIEWED = {  # pattern of "module.name" or "module.Class.name": why it stays
    "src.core.history.page.*": "read by the template of the pages",
    "src.simulator.messages.*": "every field of a message is written or read, by its place",
    "src.simulator.exchange.Exchange.inject": "the door for events that a test makes happen",
    "src.simulator.scenario.records.Scenario.description": "for who reads the scenario's file",
    "src.core.journal.events.PlanRecorded.inputs_sha256": "for who looks into a journal",
    "src.core.journal.events.ReportWritten.file_name": "likewise; that it is there counts",
    "src.io.portfolio_file.csv_form.DecimalSigns.*": "a named tuple, taken apart by place",
    "src.io.journal.db.JournalDb.run_ids": "what a file holds, for tests that judge it whole",
    "src.io.config_loader.load_settings": "one account's settings, by the name that the plan fixed",
    "src.io.reporting.read_report": "reports are read back: the round trip is tested with it",
    "src.base.known_accounts.KnownAccounts.forget": "every test begins as a process does",
}

BY_TEXT = {"attrgetter", "getattr", "hasattr", "methodcaller"}
Tree = ast.Module | ast.stmt | ast.expr
Definition = tuple[str, ast.stmt]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def trees() -> dict[str, ast.Module]:
    return {module_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def names_read(tree: Tree) -> Counter[str]:
    return Counter(
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def attributes_read(tree: Tree) -> Counter[str]:
    """Attributes by name, whosever they are; those that are named by a text included."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found[node.attr] += 1
        elif isinstance(node, ast.Call) and names_read(node.func).keys() & BY_TEXT:
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            found.update(one for one in texts if isinstance(one, str))
    return found


@cache
def imported() -> set[tuple[str | None, str]]:
    return {
        (node.module, alias.name)
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@cache
def read_anywhere() -> Counter[str]:
    return sum((attributes_read(tree) for tree in trees().values()), Counter[str]())


def definitions(body: list[ast.stmt]) -> Iterator[Definition]:
    """What these statements define, except names with a meaning for Python itself."""
    for statement in body:
        names: list[str] = []
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [statement.name]
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            nodes = [node for target in targets for node in ast.walk(target)]
            names = [node.id for node in nodes if isinstance(node, ast.Name)]
        yield from ((name, statement) for name in names if not name.startswith("__"))


def unused_names(module: str) -> Iterator[str]:
    """Functions, classes and constants of a module that nothing of the program reads."""
    tree = trees()[module]
    package, _, last = module.rpartition(".")
    is_imported_whole = (package, last) in imported()
    read = names_read(tree)
    for name, statement in definitions(tree.body):
        in_its_module = read[name] - names_read(statement)[name]
        elsewhere = (module, name) in imported() or (is_imported_whole and read_anywhere()[name])
        if in_its_module <= 0 and not elsewhere:
            yield f"{module}.{name}"


def unused_members(module: str) -> Iterator[str]:
    """Methods, properties and fields that nothing of the program reads."""
    for node in trees()[module].body:
        if not isinstance(node, ast.ClassDef):
            continue
        for name, statement in definitions(node.body):
            is_read = read_anywhere()[name] - attributes_read(statement)[name] > 0
            if not is_read and not overrides(module, node.name, name):
                yield f"{module}.{node.name}.{name}"


def overrides(module: str, class_name: str, name: str) -> bool:
    """True when a class above this one has it too, in the library or in Python."""
    bases = getattr(importlib.import_module(module), class_name).__mro__[1:]
    return any(name in vars(base) for base in bases)


def is_reviewed(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in REVIEWED)


@cache
def unused() -> list[str]:
    return [name for one in sorted(trees()) for name in (*unused_names(one), *unused_members(one))]


def test_what_the_program_defines_it_uses() -> None:
    left = [name for name in unused() if not is_reviewed(name)]
    assert not left, f"delete it, and what tests alone made of it: {left}"


def test_every_reviewed_name_is_still_unused() -> None:
    for pattern in REVIEWED:
        assert fnmatch.filter(unused(), pattern), f"{pattern} is used or gone: take it off the list"
