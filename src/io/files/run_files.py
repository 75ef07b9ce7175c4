"""The files of one run: where they lie, what they are called, and who may use a name.

Every run owns one run id, the UTC second it started in, and four names made from it alone:
``rebalance_pre_<id>.csv``, ``rebalance_post_<id>.csv``, ``rebalance_<id>.html`` and
``rebalance_<id>.log``. Creating the log exclusively claims all of them; a second run in the same
second gets ``r2``, ``r3``… appended.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from src.base.errors import ConfigError, Problem
from src.core.orders.ref import make_run_id
from src.io.files.atomic import create_durably, create_new, remove_stray_temps, temp_name

_WHERE = "[io] report_dir"
_MAX_RUNS_PER_SECOND = 1000
_PROBE_BYTES = 256 * 1024
"""More than a run's reports take, so that a full disk shows before the first order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """The names a run may write to; ``log`` exists already and is the claim."""

    run_id: str
    started_utc: datetime
    pre: Path
    post: Path
    page: Path
    log: Path


def prepare_report_dir(directory: Path) -> Path:
    """Make sure reports can be written: create the directory, try a file, clear old temporaries.

    Raises: ConfigError naming the directory and what is wrong with it.
    """
    try:
        if directory.is_symlink() and not directory.exists():
            raise _unusable(directory, "is a link to a directory that does not exist")
        directory.mkdir(parents=True, exist_ok=True)
        remove_stray_temps(directory)
        probe_directory(directory)
    except FileExistsError:
        raise _unusable(directory, "is a file, not a directory") from None
    except NotADirectoryError:
        raise _unusable(directory, "lies below a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unusable(directory, f"cannot be written to: {reason}") from error
    return directory


def claim_run_files(
    directory: Path,
    started_utc: datetime,
    is_taken: Callable[[str], bool] = lambda _run_id: False,
) -> RunFiles:
    """Claim the run id of this second, or the next free one, by creating its log file.

    ``is_taken`` lets the journal object to an id that an earlier run used elsewhere.
    Raises: ConfigError when the log cannot be created.
    """
    for number in range(1, _MAX_RUNS_PER_SECOND):
        run_id = make_run_id(started_utc, "" if number == 1 else f"r{number}")
        files = name_run_files(directory, run_id, started_utc)
        if is_taken(run_id) or any(
            os.path.lexists(path) for path in (files.pre, files.post, files.page)
        ):
            continue
        try:
            os.close(create_new(files.log))
        except FileExistsError:
            continue
        except OSError as error:
            raise _unusable(directory, f"cannot be written to: {error.strerror}") from error
        return files
    raise _unusable(directory, "holds too many runs of the same second")


def name_what_if(directory: Path, started_utc: datetime) -> RunFiles:
    """The names for a plan from a file: its plan alone is filed, as ``fromfile_<id>.csv``."""
    files = name_run_files(directory, make_run_id(started_utc), started_utc)
    return replace(
        files,
        pre=directory / f"fromfile_{files.run_id}.csv",
        page=directory / f"fromfile_{files.run_id}.html",
    )


def name_run_files(directory: Path, run_id: str, started_utc: datetime) -> RunFiles:
    """The names that belong to a run id, without claiming or checking anything."""
    return RunFiles(
        run_id=run_id,
        started_utc=started_utc,
        pre=directory / f"rebalance_pre_{run_id}.csv",
        post=directory / f"rebalance_post_{run_id}.csv",
        page=directory / f"rebalance_{run_id}.html",
        log=directory / f"rebalance_{run_id}.log",
    )


def probe_directory(directory: Path) -> None:
    """Write a file of more than a run needs, and remove it. Raises: OSError."""
    probe = temp_name(directory / "probe")
    try:
        create_durably(probe, bytes(_PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def _unusable(directory: Path, what: str) -> ConfigError:
    problem = Problem(
        where=_WHERE,
        what=f"{directory} {what}",
        hint="name a directory that this user may write to",
    )
    return ConfigError(problem)
