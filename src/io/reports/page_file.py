"""A page as one HTML file: no script, no request to anywhere, every text escaped.

jinja2 is loaded here alone, where a page is written.
"""

from __future__ import annotations

from pathlib import Path

from src.base.known_accounts import mask_accounts
from src.base.text import printable
from src.core.history.page import Page
from src.io.files.atomic import write_new_file

_TEMPLATE = "page.html"
_LONGEST = 100_000
"""Characters of one text: the line of a chart may be long, and is ours."""


def render_page(page: Page) -> str:
    """The page as HTML, account ids masked; what cannot be printed stands as its escape."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    rooms = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value, _LONGEST) if isinstance(value, str) else value,
    )
    return mask_accounts(rooms.get_template(_TEMPLATE).render(page=page)) + "\n"


def write_page(path: Path, page: Page) -> Path:
    """Write a page under this name, never over another file; its path.

    Raises: OSError when it cannot be written; then there is no new file.
    """
    write_new_file(path, render_page(page).encode("utf-8"))
    return path
