"""The account's lock, with real second processes, and the directory it lies in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from src.base.accounts import is_paper_account, normalise_account
from src.base.errors import ExitCode, LockHeld, Refused
from src.io.files.lock import acquire_lock, current_holder
from src.io.files.state_dir import (
    is_network_path,
    journal_path,
    lock_path,
    mount_type,
    prepare_state_dir,
    state_dir,
)
from tests.kits.builders import NOON_UTC

ROOT = Path(__file__).resolve().parents[4]
HOLDER = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from src.io.files.lock import acquire_lock
lock = acquire_lock(Path(sys.argv[1]), datetime(2025, 1, 31, 17, 0, tzinfo=timezone.utc))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_soon_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "DU1.lock"
    with held_by_another_process(path) as holder:
        began = time.monotonic()
        with pytest.raises(LockHeld, match=rf"pid {holder.pid} on .+ since 2025-01-31T17:00") as e:
            acquire_lock(path, NOON_UTC)
        assert time.monotonic() - began < 5
        assert e.value.exit_code is ExitCode.REFUSED
        assert f"pid {holder.pid}" in current_holder(path)


def test_the_lock_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "DU1.lock"
    with held_by_another_process(path) as holder:
        holder.kill()
        holder.wait()
        assert current_holder(path) == ""
        with acquire_lock(path, NOON_UTC):
            assert f"pid {os.getpid()}" in current_holder(path)


def test_another_path_to_the_same_directory_is_the_same_lock(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    alias = tmp_path / "alias"
    try:
        alias.symlink_to(real, target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    with held_by_another_process(real / "DU1.lock"), pytest.raises(LockHeld):
        acquire_lock(alias / "DU1.lock", NOON_UTC)


def test_two_accounts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with (
        held_by_another_process(lock_path(tmp_path, "DU1")),
        acquire_lock(lock_path(tmp_path, "DU2"), NOON_UTC) as ours,
    ):
        assert ours.path.name == "DU2.lock"


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "DU1.lock"
    first = acquire_lock(path, NOON_UTC)
    with pytest.raises(LockHeld):
        acquire_lock(path, NOON_UTC)
    first.release()
    first.release()
    acquire_lock(path, NOON_UTC).release()
    assert current_holder(path) == ""


def test_a_leftover_file_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "DU1.lock"
    path.write_text('{"pid": 1, "host": "h", "started_utc": "x"}', encoding="ascii")
    assert current_holder(path) == ""
    acquire_lock(path, NOON_UTC).release()


def test_an_unreadable_holder_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "DU1.lock"
    with acquire_lock(path, NOON_UTC):
        path.write_bytes(b"\xff\x00garbage")
        with pytest.raises(LockHeld, match="not readable"):
            acquire_lock(path, NOON_UTC)


def test_nobody_holds_a_lock_that_does_not_exist(tmp_path: Path) -> None:
    assert current_holder(tmp_path / "none.lock") == ""


def test_a_lock_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="permissions"):
        acquire_lock(tmp_path, NOON_UTC)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs real permissions")
def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Refused, match="permissions"):
        acquire_lock(tmp_path / "DU1.lock", NOON_UTC)


# --- the directory ----------------------------------------------------------------------------

VARIABLE = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME"


def test_the_directory_is_the_user_s_whatever_the_working_directory(tmp_path: Path) -> None:
    environ = {VARIABLE: str(tmp_path)}
    assert state_dir(is_simulated=False, environ=environ) == tmp_path / "ibkr-rebalancer"
    simulated = state_dir(is_simulated=True, environ=environ)
    assert simulated == tmp_path / "ibkr-rebalancer" / "simulated"


@pytest.mark.parametrize("value", ["", "relative/dir", "."])
def test_an_empty_or_relative_variable_is_ignored(value: str) -> None:
    found = state_dir(is_simulated=False, environ={VARIABLE: value})
    assert found.is_absolute()
    assert found.is_relative_to(Path.home())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    made = prepare_state_dir(is_simulated=True, environ={VARIABLE: str(tmp_path / "new")})
    assert made.is_dir()
    assert made.stat().st_mode & 0o777 == 0o700
    assert made.parent.stat().st_mode & 0o077 == 0o000


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ibkr-rebalancer").write_text("x", encoding="utf-8")
    with pytest.raises(Refused, match=VARIABLE):
        prepare_state_dir(is_simulated=False, environ={VARIABLE: str(tmp_path)})


def test_a_network_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.io.files.state_dir.is_network_path", lambda _path: True)
    with pytest.raises(Refused, match="network share"):
        prepare_state_dir(is_simulated=False, environ={VARIABLE: str(tmp_path)})


def test_the_innermost_mount_decides() -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n/dev/b /home/me ext4 rw\n\nx"
    assert mount_type(PurePosixPath("/home/you/state"), mounts) == "nfs4"
    assert mount_type(PurePosixPath("/home/me/state"), mounts) == "ext4"
    assert mount_type(PurePosixPath("/var"), mounts) == "ext4"
    spaced = "//server/my\\040share /mnt/my\\040share cifs rw 0 0"
    assert mount_type(PurePosixPath("/mnt/my share/x"), spaced) == "cifs"


def test_this_machine_s_temporary_directory_is_local(tmp_path: Path) -> None:
    assert not is_network_path(tmp_path)


@pytest.mark.parametrize("spelling", ["DU123", " du123 ", "Du123\n"])
def test_every_spelling_of_an_account_is_one_file(spelling: str, tmp_path: Path) -> None:
    assert journal_path(tmp_path, spelling) == tmp_path / "DU123.sqlite3"
    assert lock_path(tmp_path, spelling) == tmp_path / "DU123.lock"


@pytest.mark.parametrize("text", ["", "All", "DU1,DU2", "../DU1", "DU1/x", "DU\u0661", "1"])
def test_what_is_not_one_account_has_no_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        journal_path(tmp_path, text)
    with pytest.raises(ValueError, match="account"):
        normalise_account(text)


def test_paper_accounts_and_masks() -> None:
    assert [is_paper_account(one) for one in ("DU1", "DUM12", "U1", "F1", "I1", "DX1", "DU")] == [
        *(True, True),
        *(False,) * 5,
    ]
