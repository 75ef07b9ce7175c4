"""``python -m tests.measures``: how large, how tangled and how deep the program is, in figures.

The order and run code is everything between the permit and the post-trade report, recovery
included. Lines are counted without blank lines, comments and docstrings. Nothing is judged here:
the figures are for comparing two states of the code. ``python -m tests.traces`` tells the ways
through it.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LONG: Final = 40
"""Lines of a function, its head and docstring included."""
COMPLEX: Final = 8
"""Ways through a function, as McCabe counts them."""

ORDER_AND_RUN: Final = (
    *("src/app/trading.py", "src/app/books/*.py"),
    *("src/broker/execution.py", "src/broker/sending/*.py", "src/core/batches.py"),
    *("src/core/orders/*.py", "src/core/journal/*.py", "src/core/run/*.py"),
    "src/core/running/*.py",
    *("src/core/permission/after_gap.py", "src/core/permission/cancel_permit.py"),
    *("src/core/permission/gate.py", "src/core/settled_buys.py", "src/terminal/progress.py"),
    *("src/io/journal/*.py", "src/io/post_report.py", "src/io/reports/report_rows.py"),
)
_BRANCHES: Final = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp),
    *(ast.Assert, ast.comprehension),
)

_LAYOUT: Final = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, frozenset[str]]
"""Module → the modules of the program that it imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One function: its length in lines and the number of ways through it."""

    name: str
    lines: int
    ways: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Some modules taken together."""

    modules: int
    lines: int
    records: int
    functions: tuple[Measured, ...]


@cache
def files() -> tuple[str, ...]:
    """The program's modules, by path."""
    paths = (*ROOT.glob("src/**/*.py"), ROOT / "rebalance.py")
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in paths))


@cache
def tree_of(file: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(text_of(file), file)


def text_of(file: str) -> str:
    """A module as it is written."""
    return (ROOT / file).read_text(encoding="utf-8")


def order_and_run() -> tuple[str, ...]:
    """The modules of the order and run code."""
    return tuple(file for file in files() if any(fnmatchcase(file, one) for one in ORDER_AND_RUN))


def size_of(some: tuple[str, ...]) -> Size:
    """Lines, records and functions of these modules."""
    return Size(
        modules=len(some),
        lines=sum(len(code_lines(text_of(file))) for file in some),
        records=sum(is_record(node) for file in some for node in ast.walk(tree_of(file))),
        functions=tuple(one for file in some for one in functions_of(file)),
    )


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code."""
    lines: set[int] = set()
    begins_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _LAYOUT:
            begins_statement = begins_statement or token.type == tokenize.NEWLINE
            continue
        if not (begins_statement and token.type == tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
        begins_statement = False
    return lines


def is_record(node: ast.AST) -> bool:
    """A dataclass or a named tuple."""
    if not isinstance(node, ast.ClassDef):
        return False
    words = (*node.decorator_list, *node.bases)
    return any("dataclass" in ast.unparse(one) or ast.unparse(one) == "NamedTuple" for one in words)


def functions_of(file: str) -> Iterator[Measured]:
    """Every function and method of a module."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Measured(name=f"{file}:{node.name}", lines=lines, ways=ways_through(node))


def ways_through(function: Function) -> int:
    """McCabe's number: one, and one more for every branch and every further condition."""
    ways = 1
    for node in ast.walk(function):
        ways += isinstance(node, _BRANCHES)
        if isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
    return ways


def imports(*, hidden: bool) -> Graph:
    """Who imports whom; with what is imported for types only or inside functions if ``hidden``."""
    known = {file: _dotted(file) for file in files()}
    modules = frozenset(known.values())
    graph: dict[str, frozenset[str]] = {}
    for file, module in known.items():
        tree = tree_of(file)
        nodes = ast.walk(tree) if hidden else iter(tree.body)
        graph[module] = frozenset(_targets(nodes, modules)) - {module}
    return graph


def _dotted(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _targets(nodes: Iterator[ast.AST] | Iterator[ast.stmt], modules: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {node.module, *names} & modules
    return found


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Groups of modules each of which leads to every other of its group."""
    reach = {module: _reach(graph, module) for module in graph}
    groups = {
        tuple(sorted(one for one in reach[module] if module in reach[one])) for module in graph
    }
    return sorted(group for group in groups if len(group) > 1)


def _reach(graph: Graph, module: str) -> frozenset[str]:
    seen: set[str] = set()
    left = [module]
    while left:
        for one in graph[left.pop()] - seen:
            seen.add(one)
            left.append(one)
    return frozenset(seen)


def typing_imports() -> Iterator[str]:
    """Modules of the program that are imported for types only, as ``importer imports imported``."""
    modules = frozenset(_dotted(file) for file in files())
    for file in files():
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                for target in sorted(_targets(iter(node.body), modules)):
                    yield f"{_dotted(file)} imports {target}"


def report() -> Iterator[str]:
    """All figures, line by line."""
    chosen = order_and_run()
    for title, some in (("order and run code", chosen), ("the whole program", files())):
        yield from _size_lines(title, size_of(some))
    yield "modules per folder"
    for folder, number in sorted(Counter(Path(file).parent.as_posix() for file in files()).items()):
        yield f"  {folder}: {number}"
    shown, hidden = circles(imports(hidden=False)), circles(imports(hidden=True))
    yield f"circles of imports at the top of modules: {len(shown)}"
    yield f"circles with those for types and inside functions: {len(hidden)}"
    yield from (f"  {', '.join(group)}" for group in hidden)
    pairs = list(typing_imports())
    yield f"imports for types only, of our own modules: {len(pairs)}"
    within = {_dotted(file) for file in chosen}
    yield from (f"  {pair}" for pair in pairs if pair.split()[0] in within)


def _size_lines(title: str, size: Size) -> Iterator[str]:
    functions = size.functions
    long = sum(one.lines > LONG for one in functions)
    tangled = sum(one.ways > COMPLEX for one in functions)
    yield title
    yield f"  modules {size.modules}, lines of code {size.lines}, records {size.records}"
    yield f"  functions {len(functions)}, above {LONG} lines {long}, above {COMPLEX} ways {tangled}"
    for one in sorted(functions, key=lambda one: (-one.lines, one.name))[:5]:
        yield f"    {one.lines} lines: {one.name}"
    for one in sorted(functions, key=lambda one: (-one.ways, one.name))[:5]:
        yield f"    {one.ways} ways: {one.name}"


def main() -> None:
    """Print the figures."""
    sys.stdout.write("\n".join(report()) + "\n")


if __name__ == "__main__":
    main()
