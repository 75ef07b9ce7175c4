"""What is true of the repository as a whole: locks, CI, hooks, no secret in a tracked file."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from src.terminal.options import VERSION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = {
    "requirements.txt": cast("list[str]", PROJECT["dependencies"]),
    "requirements-dev.txt": [
        *cast("list[str]", PROJECT["dependencies"]),
        *cast("list[str]", PROJECT["optional-dependencies"]["dev"]),
    ],
}
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", re.MULTILINE)
LOCKED = re.compile(r"^([a-z0-9-]+)(?:\[([a-z0-9,-]+)\])?==", re.MULTILINE)


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def tracked_files() -> list[str]:
    """What git tracks; every file of a copy without git (a downloaded archive)."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - git is wherever the user has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return [path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file()]


def test_the_program_and_the_package_have_one_version() -> None:
    assert PROJECT["version"] == VERSION


# --- dependencies ---------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_and_pyproject_agree(lock: str) -> None:
    wanted = {canonicalize_name(Requirement(line).name): Requirement(line) for line in LOCKS[lock]}
    text = text_of(lock)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    direct = {
        canonicalize_name(entry.partition("==")[0])
        for entry in entries
        if f"{PROJECT['name']} (pyproject.toml)" in entry
    }
    assert direct == set(wanted), f"regenerate {lock}: its first lines say how"
    for name, version in PIN.findall(text):
        if name in wanted:
            assert wanted[name].specifier.contains(version), f"{name}=={version} is out of range"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", text_of(lock), flags=re.MULTILINE)[1:]
    assert len(entries) >= len(LOCKS[lock])
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_says_how_to_make_it_for_all_supported_systems(lock: str) -> None:
    header = text_of(lock).partition("\n\n")[0].splitlines()[1]
    floor = next(iter(SpecifierSet(PROJECT["requires-python"]))).version
    make = (
        f"uv pip compile --universal --python-version {floor} --generate-hashes --no-strip-extras"
    )
    assert make in header
    assert header.endswith(f"pyproject.toml -o {lock}")


def test_no_package_asks_for_an_extra_that_a_lock_lacks() -> None:
    """A pip before 23.3 takes ``coverage==7`` for another requirement than ``coverage[toml]``.

    It then looks for the newest release, which a lock with hashes refuses.
    """
    lacking = []
    for lock in LOCKS:
        locked = {
            (canonicalize_name(name), extras) for name, extras in LOCKED.findall(text_of(lock))
        }
        for name in {name for name, _ in locked}:
            for wanted in _installed_requirements(name):
                form = (canonicalize_name(wanted.name), ",".join(sorted(wanted.extras)))
                if wanted.extras and form not in locked:
                    lacking.append(f"{lock}: {name} asks for {wanted}")
    assert not lacking


def _installed_requirements(name: str) -> list[Requirement]:
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:  # locked for another system or Python
        return []
    wanted = [Requirement(text) for text in texts]
    return [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]


def test_tests_run_with_the_versions_that_users_get() -> None:
    runtime = set(PIN.findall(text_of("requirements.txt")))
    assert runtime <= set(PIN.findall(text_of("requirements-dev.txt")))


# --- CI -------------------------------------------------------------------------------------

WORKFLOW = ".github/workflows/ci.yaml"


@pytest.mark.parametrize("path", [WORKFLOW, ".ci/run", ".pre-commit-config.yaml"])
def test_no_check_may_ignore_a_failure(path: str) -> None:
    text = text_of(path)
    for excuse in (r"\|\| *true", r"\|\| *:", r"continue-on-error", r"set \+e", r"--exit-zero"):
        assert not re.search(excuse, text), f"{path} ignores a failure: {excuse}"


def test_actions_are_pinned_by_commit_and_the_token_can_only_read() -> None:
    text = text_of(WORKFLOW)
    uses = re.findall(r"uses: *(.+)", text)
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
    assert re.findall(r"permissions:\n((?: +.+\n)+)", text) == ["  contents: read\n"]
    assert "pull_request_target" not in text
    assert "secrets." not in text


def test_ci_runs_on_both_systems_with_the_oldest_and_the_newest_python() -> None:
    text = text_of(WORKFLOW)
    assert "os: [windows-latest, ubuntu-latest]" in text
    supported = re.findall(r":: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert f'python: ["{supported[0]}", "{supported[-1]}"]' in text


def test_ci_installs_with_the_oldest_pip_of_a_supported_python() -> None:
    job = text_of(WORKFLOW).partition("\n  oldest-pip:")[2].partition("\n  audit:")[0]
    floor = next(iter(SpecifierSet(PROJECT["requires-python"]))).version
    assert f'python-version: "{floor}"' in job
    assert "pip==21.2.3 --hash=sha256:" in job
    assert all(f"-r {lock}" in job for lock in LOCKS)


def test_every_installation_checks_hashes() -> None:
    for path in (WORKFLOW, ".ci/run"):
        installs = re.findall(r"pip install.*", text_of(path))
        assert installs
        assert all("--require-hashes" in install for install in installs)


def test_hooks_ci_and_the_local_run_check_the_same_things() -> None:
    tools = re.findall(r"entry: (\w+)", text_of(".pre-commit-config.yaml"))
    assert tools == ["ruff", "black", "mypy", "pytest"]
    for tool in tools:
        assert re.search(rf"^ +run: {tool}\b", text_of(WORKFLOW), re.MULTILINE)
        assert re.search(rf"^{tool}\b", text_of(".ci/run"), re.MULTILINE)


# --- credentials and places -----------------------------------------------------------------


def test_the_sample_settings_name_no_real_account() -> None:
    ids = re.findall(r"^account_id *= *(\w*)", text_of("config/settings.ini"), re.MULTILINE)
    assert len(ids) == 1
    assert re.fullmatch(r"D[UF]0{7}", ids[0])


def test_nothing_but_tests_holds_an_account_id_that_could_be_real() -> None:
    made_up = {"DU0000000", "DU1234567", "DF0000000", "U0000000", "U1234567"}
    made_up |= {"DU2222222", "DU3333333"}
    for path in tracked_files():
        if path.startswith("tests/") or Path(path).suffix in {".lock", ".txt"}:
            continue
        found = set(re.findall(r"\b(?:D[UF]|U|F)\d{6,9}\b", text_of(path)))
        assert found <= made_up, f"{path} holds {found - made_up}"


@pytest.mark.parametrize(
    "path",
    [
        *(".env", "config/settings.local.ini", "reports/rebalance_pre_20250131T143000Z.csv"),
        *("reports/rebalance_20250131T143000Z.log", ".venv/bin/python", "src/__pycache__/x.pyc"),
    ],
)
def test_private_and_generated_files_are_ignored(path: str) -> None:
    assert path not in tracked_files()
    done = subprocess.run(
        ["git", "check-ignore", "-q", path],  # noqa: S607 - git is wherever the user has it
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0


def test_no_tracked_file_points_outside_the_repository() -> None:
    home = re.compile(r"(?<![\w.~/-])/(?:root|work)/")
    climb = re.compile(r"(?<![\w.])(?:\.\./)+")
    for path in tracked_files():
        try:
            text = text_of(path)
        except UnicodeDecodeError:
            continue
        assert not home.search(text) or path == "tests/house/test_repository.py", path
        depth = len(Path(path).parts) - 1
        for match in climb.finditer(text):
            assert match.group().count("../") <= depth, f"{path} climbs out: {match.group()}"


def test_the_top_level_holds_nothing_new() -> None:
    top = {path.partition("/")[0] for path in tracked_files()}
    folders = {"src", "tests", "config", "data", "reports", ".github", ".ci"}
    documents = {"README.md", "USAGE.md", "SRS.md"}
    tools = {"pyproject.toml", ".pre-commit-config.yaml", ".gitignore", ".editorconfig"}
    assert top == {"rebalance.py", *folders, *documents, *tools, *LOCKS}
