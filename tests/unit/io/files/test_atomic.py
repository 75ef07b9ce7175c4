"""Files are written whole, by one owner, under a name of their own."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from src.io.files import atomic
from src.io.files.atomic import remove_stray_temps, temp_name, write_new_file


def test_writes_exactly_the_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    write_new_file(path, b"a,b\n1,2\r\n")
    assert path.read_bytes() == b"a,b\n1,2\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_never_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"first")
    with pytest.raises(FileExistsError):
        write_new_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner-only mode bits")
def test_only_the_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    write_new_file(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_new_file(tmp_path / "report.csv", b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links are used on POSIX only")
def test_file_systems_without_links_still_never_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_source: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "report.csv"
    write_new_file(path, b"first")
    with pytest.raises(FileExistsError):
        write_new_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_survives_another_run_clearing_its_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_name = atomic._give_name
    cleared: list[Path] = []

    def cleared_once(temp: Path, path: Path) -> None:
        if not cleared:
            cleared.extend(remove_stray_temps(tmp_path))
        give_name(temp, path)

    monkeypatch.setattr(atomic, "_give_name", cleared_once)
    path = tmp_path / "report.csv"
    write_new_file(path, b"x")
    assert len(cleared) == 1
    assert path.read_bytes() == b"x"


def test_a_directory_that_vanished_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_new_file(tmp_path / "gone" / "report.csv", b"x")


def test_stray_temporaries_are_removed_and_nothing_else(tmp_path: Path) -> None:
    stray = temp_name(tmp_path / "rebalance_pre_20250131T143000Z.csv")
    stray.write_bytes(b"half")
    kept = [tmp_path / "rebalance_20250131T143000Z.log", tmp_path / ".gitkeep", tmp_path / "my.tmp"]
    for path in kept:
        path.write_bytes(b"")
    assert remove_stray_temps(tmp_path) == (stray,)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
