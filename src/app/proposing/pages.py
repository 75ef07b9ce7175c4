"""File a page beside a run's reports; a page that cannot be written is a warning and no more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from src.terminal.console import warn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from src.app.proposing.planning import Proposal
    from src.core.history.page import Page
    from src.io.files.run_files import RunFiles

log = logging.getLogger(__name__)


def file_plan_page(proposal: Proposal, files: RunFiles, *, is_simulated: bool) -> Path | None:
    """Write the page of a plan of which nothing was sent; None where that failed."""
    from src.core.history.pages import plan_page

    started_utc = files.started_utc
    return file_page(
        files.page, lambda: plan_page(proposal.plan, started_utc, is_simulated=is_simulated)
    )


def file_page(path: Path, make: Callable[[], Page]) -> Path | None:
    """Make a page and write it under this name; None, with a warning, where that failed."""
    from src.base.errors import JournalError
    from src.io.reports.page_file import write_page

    try:
        write_page(path, make())
    except (OSError, JournalError) as error:
        why = getattr(error, "strerror", None) or error
        log.warning("page not written path=%s reason=%s", path, why)
        warn(f"the page {path} could not be written ({why}); reports and journal are complete")
        return None
    log.info("page written path=%s", path)
    return path
