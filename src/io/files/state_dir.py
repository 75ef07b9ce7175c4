r"""Where journal and lock live: one fixed directory per user, whatever the working directory.

``%LOCALAPPDATA%\ibkr-rebalancer`` on Windows, else ``$XDG_STATE_HOME/ibkr-rebalancer`` or
``~/.local/state/ibkr-rebalancer``; simulated runs keep theirs in ``simulated`` below it. Files
are named after the normalised account id, so that no spelling of it hides a run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final

from src.base.accounts import normalise_account
from src.base.errors import JournalError, Refused

_VARIABLE: Final = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME"
_BELOW_HOME: Final = ("AppData", "Local") if sys.platform == "win32" else (".local", "state")
_PROGRAM: Final = "ibkr-rebalancer"
_SIMULATED: Final = "simulated"
_OWNER_ONLY: Final = 0o700
_NETWORK_TYPES: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs"})
_WINDOWS_REMOTE_DRIVE: Final = 4


def state_dir(*, is_simulated: bool, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory for this user; it need not exist yet.

    A relative path in the environment is ignored: it would depend on the working directory.

    Raises: Refused when the user has no home directory.
    """
    base = _base_dir(environ) / _PROGRAM
    return base / _SIMULATED if is_simulated else base


def prepare_state_dir(*, is_simulated: bool, environ: Mapping[str, str] = os.environ) -> Path:
    """Make the directory (readable by its owner only) and return its real path.

    Raises: Refused when it cannot be made, or lies on a network share, where neither the lock
    nor the journal could be relied on.
    """
    wanted = state_dir(is_simulated=is_simulated, environ=environ)
    try:
        for directory in (state_dir(is_simulated=False, environ=environ), wanted):
            directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        path = wanted.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Refused(
            f"cannot make the directory {wanted} for journal and lock: {error}; "
            f"check its permissions, or point {_VARIABLE} to a directory of yours"
        ) from error
    if is_network_path(path):
        raise Refused(
            f"{path} is on a network share, where journal and lock cannot be relied on; "
            f"point {_VARIABLE} to a local disk"
        )
    return path


def journal_path(directory: Path, account_id: str) -> Path:
    """The journal file of one account.

    Raises: Refused for text that is not one account id.
    """
    return directory / f"{_file_stem(account_id)}.sqlite3"


def journal_exists(path: Path) -> bool:
    """True for a journal file, however broken.

    Raises: JournalError when only its write-ahead file is there, OSError.
    """
    if path.with_name(f"{path.name}-wal").exists() and not path.exists():
        raise JournalError(
            f"journal {path} is missing but its -wal file is there: restore it from a backup, "
            "or move the -wal file away if no order of this account is open"
        )
    return path.exists()


def lock_path(directory: Path, account_id: str) -> Path:
    """The lock file of one account.

    Raises: Refused for text that is not one account id.
    """
    return directory / f"{_file_stem(account_id)}.lock"


def is_network_path(path: Path) -> bool:
    """True where the operating system says that the path is on a network share."""
    if sys.platform == "win32":
        import ctypes

        is_unc = path.drive.startswith("\\\\")
        kind = ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\")
        return is_unc or kind == _WINDOWS_REMOTE_DRIVE
    else:  # noqa: RET505 - keeps either half reachable for the type checker
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return mount_type(path, mounts) in _NETWORK_TYPES


def mount_type(path: PurePath, mounts: str) -> str:
    """The file system type of the innermost mount that holds a path, from a mount table."""
    innermost, kind = 0, ""
    for line in mounts.splitlines():
        _device, point, point_kind, *_rest = [*line.split(), "", "", ""]
        mount = PurePath(point.replace("\\040", " "))
        if len(mount.parts) >= innermost and path.is_relative_to(mount):
            innermost, kind = len(mount.parts), point_kind
    return kind


def _base_dir(environ: Mapping[str, str]) -> Path:
    named = environ.get(_VARIABLE, "")
    if named and Path(named).is_absolute():
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError as error:
        raise Refused(f"this user has no home directory; set {_VARIABLE}") from error
    return home.joinpath(*_BELOW_HOME)


def _file_stem(account_id: str) -> str:
    try:
        return normalise_account(account_id)
    except ValueError as error:
        raise Refused(f"no journal for {account_id!r}: {error}") from error
