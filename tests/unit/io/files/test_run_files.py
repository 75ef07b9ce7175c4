"""Names of a run's files, and the report directory in every state a disk can offer."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from src.base.errors import ConfigError, ExitCode
from src.core.orders.ref import is_run_id
from src.io.files.atomic import temp_name
from src.io.files.run_files import claim_run_files, prepare_report_dir

START = datetime(2025, 1, 31, 14, 30, tzinfo=timezone.utc)


def test_the_three_names_share_one_stamp(tmp_path: Path) -> None:
    files = claim_run_files(tmp_path, START)
    assert files.run_id == "20250131T143000Z"
    assert files.pre == tmp_path / "rebalance_pre_20250131T143000Z.csv"
    assert files.post == tmp_path / "rebalance_post_20250131T143000Z.csv"
    assert files.log == tmp_path / "rebalance_20250131T143000Z.log"
    assert [path.name for path in tmp_path.iterdir()] == [files.log.name]


def test_runs_of_one_second_get_distinct_valid_ids(tmp_path: Path) -> None:
    ids = [claim_run_files(tmp_path, START).run_id for _ in range(12)]
    assert len(set(ids)) == 12
    assert all(is_run_id(run_id) for run_id in ids)


@pytest.mark.parametrize("name", ["rebalance_pre_{}.csv", "rebalance_post_{}.csv"])
def test_an_id_whose_report_exists_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / name.format("20250131T143000Z")).write_text("earlier", encoding="utf-8")
    assert claim_run_files(tmp_path, START).run_id == "20250131T143000Zr2"


def test_the_journal_may_object_to_an_id(tmp_path: Path) -> None:
    files = claim_run_files(tmp_path, START, is_taken={"20250131T143000Z"}.__contains__)
    assert files.run_id == "20250131T143000Zr2"


def test_a_missing_directory_is_created(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "reports"
    assert prepare_report_dir(directory) == directory
    assert directory.is_dir()
    assert list(directory.iterdir()) == []


def test_a_crash_leaves_no_stray_file_after_the_next_start(tmp_path: Path) -> None:
    temp_name(tmp_path / "rebalance_post_20250131T143000Z.csv").write_bytes(b"half")
    prepare_report_dir(tmp_path)
    assert list(tmp_path.iterdir()) == []


def _refusal(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        prepare_report_dir(directory)
    assert caught.value.exit_code is ExitCode.INPUT
    message = str(caught.value)
    assert message.startswith(f"[io] report_dir: {directory} ")
    assert "\n" not in message
    return message


def test_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    path.write_text("", encoding="utf-8")
    assert "is a file" in _refusal(path)
    assert "file" in _refusal(path / "below")


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    try:
        path.symlink_to(tmp_path / "nowhere", target_is_directory=True)
    except OSError:
        pytest.skip("this user may not make links here")
    assert "does not exist" in _refusal(path)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_directory_that_takes_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(_number: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    assert f"cannot be written to: {os.strerror(number)}" in _refusal(tmp_path)
    assert list(tmp_path.iterdir()) == []
