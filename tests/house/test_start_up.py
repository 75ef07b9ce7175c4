"""``--help`` and bad-input errors answer at once: slow packages load only when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("asyncio", "ib_async", "numpy", "pandas", "rich", "sqlite3", "tabulate")

FOR_TRADERS = {
    *("sqlite3", "src.core.journal.events", "src.core.orders.state", "src.core.orders.tickets"),
    *("src.io.journal.db", "src.app.trading", "src.app.books.account_books"),
}
"""What only a run that trades needs, and what looks at an account whose journal is there."""

REPORT = """
finally:
    sys.stderr.write("loaded=" + ",".join(sys.modules) + "\\n")
"""


def loaded_by(statement: str, *arguments: str) -> tuple[set[str], str]:
    """Run a statement in a fresh interpreter; the modules it loaded, and its stdout."""
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit as done:\n"
    code += f"    assert not done.code, done.code{REPORT}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("loaded=")[2].strip().split(",")), done.stdout


def slow_of(loaded: set[str]) -> set[str]:
    return loaded.intersection(SLOW)


def test_the_measurement_sees_a_slow_package() -> None:
    assert slow_of(loaded_by("import tabulate")[0]) == {"tabulate"}


def test_importing_the_program_is_light() -> None:
    assert slow_of(loaded_by("import rebalance")[0]) == set()


@pytest.mark.parametrize(
    "run",
    [
        "run_path('rebalance.py', run_name='__main__')",
        "run_module('src.snapshot', run_name='__main__', alter_sys=True)",
        "run_module('src.doctor', run_name='__main__', alter_sys=True)",
        "run_module('src.history', run_name='__main__', alter_sys=True)",
        "run_module('src.simulator', run_name='__main__', alter_sys=True)",
        "run_module('src.io.validate_config', run_name='__main__', alter_sys=True)",
        "run_module('src.io.validate_portfolios', run_name='__main__', alter_sys=True)",
    ],
)
def test_help_is_light_and_complete(run: str) -> None:
    loaded, shown = loaded_by(f"import runpy; runpy.{run}", "--help")
    assert slow_of(loaded) <= ({"asyncio"} if "simulator" in run else set())
    assert "usage:" in shown
    assert "example" in shown.lower()


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("src.io.validate_config", ["config/settings.ini"]),
        ("src.io.validate_portfolios", ["data/portfolios.csv", "--offline"]),
    ],
)
def test_validating_the_sample_files_is_light(module: str, arguments: list[str]) -> None:
    statement = f"import runpy; runpy.run_module('{module}', run_name='__main__', alter_sys=True)"
    loaded, shown = loaded_by(statement, *arguments)
    assert slow_of(loaded) == set()
    assert "dataclasses" not in loaded
    assert shown.startswith("OK")


@pytest.mark.parametrize("arguments", [["--csv"], ["--since", "yesterday"], []])
def test_looking_back_loads_pandas_only_for_totals(arguments: list[str]) -> None:
    code = "from src import history; from src.terminal.cli import run_main;"
    code += " run_main(lambda: history.main(sys.argv[1:]))"
    assert slow_of(loaded_by(code, *arguments)[0]) <= {"sqlite3"}


@pytest.mark.parametrize("task", ["--dry-run", "--confirm"])
def test_no_run_pays_for_what_only_others_need(task: str, tmp_path: Path) -> None:
    settings = (ROOT / "config/settings.ini").read_text(encoding="utf-8")
    config = tmp_path / "settings.ini"
    config.write_text(f"{settings}\n".replace(";report_dir = reports", f"report_dir = {tmp_path}"))
    statement = "import runpy; runpy.run_path('rebalance.py', run_name='__main__')"
    loaded, shown = loaded_by(statement, task, "--simulate", "--config", str(config))
    assert not loaded & {"pandas", "rich", "jinja2"}
    assert loaded & FOR_TRADERS == (set() if task == "--dry-run" else FOR_TRADERS)
    assert "13 orders: 7 to sell, 6 to buy" in shown
    assert list(tmp_path.glob("rebalance_pre_*.csv"))
