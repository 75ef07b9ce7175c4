"""README, USAGE and SRS say what the code does: flags, keys, defaults, exit codes, links."""

from __future__ import annotations

import argparse
import ast
import configparser
import re
import shlex
from pathlib import Path

import pytest

from src import doctor, history, snapshot
from src.base.errors import ExitCode
from src.io import validate_config, validate_portfolios
from src.io.settings_file.keys import ACCOUNT, ACCOUNT_RULES, KEY_RULES, SECTIONS
from src.simulator import __main__ as simulator
from src.terminal import options
from tests.fuzz import __main__ as fuzz
from tests.readme_preview import PICTURE, picture, practice_run, with_blocks
from tests.simulation import __main__ as simulation
from tests.usage_pages import with_pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = ("README.md", "USAGE.md", "SRS.md")
CODE = sorted((*ROOT.glob("src/**/*.py"), ROOT / "rebalance.py"))


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# --- flags, exit codes, keys ----------------------------------------------------------------


PARSERS: dict[str, argparse.ArgumentParser] = {
    "rebalance.py": options._parser(),
    "src.io.validate_config": validate_config._parser(),
    "src.io.validate_portfolios": validate_portfolios._parser(),
    "src.snapshot": snapshot._parser(),
    "src.doctor": doctor._parser(),
    "src.history": history._parser(),
    "src.simulator": simulator._parser(),
    "tests.simulation": simulation._parser(),
    "tests.fuzz": fuzz._parser(),
}
"""Program or module → what reads its command line."""

PAGES = {
    "Preview a rebalance": "rebalance.py",
    "Validate the two input files": "src.io.validate_portfolios",
    "Look at the account": "src.snapshot",
    "When something is wrong": "src.doctor",
    "Looking back": "src.history",
    "Run the simulated gateway on its own": "src.simulator",
}
"""Page of USAGE.md with a table of flags → the command it is about."""


FOREIGN_FLAGS = {
    *("--require-hashes", "--universal", "--all-files", "--hook-stage", "--user", "--now")
}
"""Flags of pip, uv, pre-commit and systemctl."""


def flags_of(command: str) -> set[str]:
    names = {name for action in PARSERS[command]._actions for name in action.option_strings}
    return {name for name in names if name.startswith("--")}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_lists_exactly_the_flags_of_its_command(page: str) -> None:
    text = text_of("USAGE.md").partition(f"\n## {page}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`--[^|]+) \|", text, re.MULTILINE)
    assert {flag for row in rows for flag in re.findall(r"--[a-z-]+", row)} == flags_of(PAGES[page])


@pytest.mark.parametrize("doc", DOCS)
def test_every_flag_that_is_named_exists(doc: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(doc)))
    assert named - FOREIGN_FLAGS <= {flag for command in PARSERS for flag in flags_of(command)}


@pytest.mark.parametrize("doc", ["README.md", "USAGE.md"])
def test_every_example_can_be_typed(doc: str) -> None:
    commands = r"rebalance|src\.|tests\.(?:simulation|fuzz)"
    examples = re.findall(rf"python (?:-m )?((?:{commands})[^`\n|>&;]+)", text_of(doc))
    assert len(examples) > 5
    for example in examples:
        command, *words = shlex.split(example, comments=True)
        PARSERS[command].parse_args(words)


def test_usage_lists_exactly_the_exit_codes_that_exist() -> None:
    table = text_of("USAGE.md").partition("## Exit codes")[2]
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    assert listed == [int(code) for code in ExitCode]


def usage_defaults() -> dict[str, dict[str, str]]:
    """Section → key → default, from the table of settings in USAGE.md."""
    table = text_of("USAGE.md").partition("\n## Settings")[2].partition("\n## ")[0]
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in table.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) < 5:
            continue
        section = cells[0].strip("`[]") or section
        if cells[1].startswith("`"):
            found.setdefault(section, {})[cells[1].strip("`")] = cells[3].strip("`")
    return found


def sample_settings() -> dict[str, dict[str, str]]:
    """Every key of the sample, those that are commented out included."""
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";", "#"))
    text = re.sub(r"^;(?=\w+ = )", "", text_of("config/settings.ini"), flags=re.MULTILINE)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_every_key_is_in_the_sample_settings_and_in_usage() -> None:
    known = {section: set(keys) for section, keys in KEY_RULES.items()}
    sample = {name: set(keys) for name, keys in sample_settings().items() if name in known}
    sample["execution"].add("order_type")  # it has one value: nothing to choose, nothing to show
    assert sample == known
    assert set(sample_settings()) == set(SECTIONS)
    assert {name: set(keys) for name, keys in usage_defaults().items()} == known
    page = text_of("USAGE.md").partition("\n## Several accounts\n")[2].partition("\n## ")[0]
    for key in (*ACCOUNT_RULES[ACCOUNT], *ACCOUNT_RULES["ibkr"], *ACCOUNT_RULES["execution"]):
        assert f"`{key}`" in page, key


def test_usage_gives_the_defaults_that_the_sample_settings_show() -> None:
    sample = sample_settings()
    for section, keys in usage_defaults().items():
        for key, default in keys.items():
            if not KEY_RULES[section][key].required and key != "order_type":
                assert sample[section][key] == default, f"[{section}] {key}"


# --- references -----------------------------------------------------------------------------


def anchors(markdown: str) -> set[str]:
    """The names GitHub gives to headings."""
    prose = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    titles = re.findall(r"^#+ +(.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("doc", DOCS)
def test_links_lead_somewhere(doc: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(doc)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        page = path or doc
        assert (ROOT / page).exists(), f"{doc} links to {target}"
        if anchor:
            assert anchor in anchors(text_of(page)), f"{doc} links to {target}"


def test_numbers_cited_in_code_and_tests_exist_in_the_srs() -> None:
    number = re.compile(r"\b[RDIF]-\d{2,3}\b")
    known = set(number.findall(text_of("SRS.md")))
    for path in (*CODE, *sorted((ROOT / "tests").rglob("*.py"))):
        cited = set(number.findall(path.read_text(encoding="utf-8")))
        assert cited <= known, f"{path.name} cites {sorted(cited - known)}"


def test_srs_numbers_are_given_once() -> None:
    given = re.findall(r"^- \*\*([RDIF]-\d+)\*\*", text_of("SRS.md"), re.MULTILINE)
    assert given
    assert len(given) == len(set(given))


# --- messages and checks --------------------------------------------------------------------


def texts_of_the_code() -> list[str]:
    """Every string of the code; one around values comes in its parts."""
    return [
        node.value
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def is_said(message: str, texts: list[str]) -> bool:
    """Whether every part of a message, between the places of its values, stands in the code."""
    return all(any(part.strip() in text for text in texts) for part in message.split("…"))


def test_the_first_errors_in_the_readme_are_messages_of_the_program() -> None:
    table = text_of("README.md").partition("## What the first errors mean")[2].partition("\n## ")[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(quoted) > 10
    texts = texts_of_the_code()
    assert [message for message in quoted if not is_said(message, texts)] == []


def test_messages_in_usage_are_messages_of_the_program() -> None:
    quoted = re.findall(r"`([A-Za-z][^`=\n]* [^`=\n]*)`", text_of("USAGE.md"))
    quoted = [message for message in quoted if re.search(r"…|:", message)]
    assert len(quoted) >= 4
    texts = texts_of_the_code()
    assert [message for message in quoted if not is_said(message, texts)] == []


def names_of_checks() -> set[str]:
    """What GitHub calls the checks of the workflow: the jobs' names, once per combination."""
    names: set[str] = set()
    for job in re.split(r"^  (?=\w+:$)", text_of(".github/workflows/ci.yaml"), flags=re.MULTILINE):
        found = re.search(r"^    name: (.+)$", job, re.MULTILINE)
        lists = re.findall(r"^        (\w+): \[(.+?)\]", job, re.MULTILINE)
        made = {found[1]} if found else set()
        for key, values in lists:
            options = [value.strip(' "') for value in values.split(",")]
            made = {
                name.replace(f"${{{{ matrix.{key} }}}}", one) for name in made for one in options
            }
        names |= made
    return names


def test_contributing_protects_the_branch_with_every_check() -> None:
    listed = text_of(".github/CONTRIBUTING.md").partition("- **Protect the main branch,**")[2]
    assert (
        set(re.findall(r"`([^`]+)`", listed)) - {".github/workflows/ci.yaml"} == names_of_checks()
    )


# --- set-up ---------------------------------------------------------------------------------


def commands_of(script: str) -> list[str]:
    """The commands of a script, one each, without the virtual environment's path or ``-q``."""
    lines = re.split(r"\n|&&|;", script.replace(".venv/bin/", ""))
    return [re.sub(r"^(pip install) -q", r"\1", line.strip()) for line in lines if line.strip()]


def test_the_second_set_up_command_is_what_the_local_check_runs() -> None:
    blocks = re.findall(
        r"^```(?:bash|sh)\n(.*?)^```", text_of("README.md"), re.DOTALL | re.MULTILINE
    )
    (test_block,) = [block for block in blocks if re.search(r"\bpytest -q$", block, re.MULTILINE)]
    wanted = [one for one in commands_of(test_block) if not re.match(r"\. |.*venv", one)]
    assert wanted[-1] == "pytest -q"
    assert any("--require-hashes" in command for command in wanted)
    assert set(wanted) <= set(commands_of(text_of(".ci/run")))


@pytest.mark.parametrize("shell", ["sh", "powershell"])
def test_the_first_command_says_what_it_is_doing_while_pip_installs(shell: str) -> None:
    block = re.search(rf"^```{shell}\n(.*?)^```", text_of("README.md"), re.DOTALL | re.MULTILINE)
    assert block is not None
    (command,) = block.group(1).splitlines()
    said, *rest = re.split(" && |; ", command)
    assert said.startswith('echo "Installing')
    (install,) = [one for one in rest if "pip install" in one]
    assert not re.search(r"\s(-q|--quiet)\b", install)
    assert rest[-1].endswith("rebalance.py --dry-run --simulate")


# --- the practice run -----------------------------------------------------------------------


def test_readme_shows_a_run_as_it_prints() -> None:
    run, readme = practice_run(), text_of("README.md")
    refresh = "run `python -m tests.readme_preview`"
    assert readme == with_blocks(readme, run), refresh
    assert PICTURE.read_text(encoding="utf-8") == picture(run), refresh


def test_usage_shows_everyday_runs_as_they_print() -> None:
    usage = text_of("USAGE.md")
    assert usage == with_pages(usage), "run `python -m tests.usage_pages`"
