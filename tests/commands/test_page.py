"""The pages that commands file, and what a real browser makes of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from src import history
from src.base.errors import ExitCode
from src.core.history.page import Page, Section
from src.io.reports.page_file import render_page
from tests.commands.kit import STILL, Workplace

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
LIMIT_SEC = 60
FRAME = """<!doctype html><title>not yet</title>
<iframe id="page" width="{width}" height="2000" srcdoc="{page}"></iframe>
<script>
window.onload = () => {{
  const seen = document.getElementById("page").contentDocument.documentElement;
  document.title = "wide " + seen.scrollWidth + " of " + seen.clientWidth;
}};
</script>"""
"""A browser's window has a least width; a frame in it has none."""


def test_a_confirmed_run_files_its_page_beside_the_reports(place: Workplace) -> None:
    done = place.run("--confirm", "--simulate", STILL, stdin="y\n")
    (page,) = place.reports_named("rebalance_2")[:1]
    assert page.suffix == ".html"
    assert f"Page:   {page.relative_to(Path.cwd())}" in done.out.replace(f"{Path.cwd()}/", "")
    text = page.read_text(encoding="utf-8")
    assert "13 orders sent." in text
    assert "closed, exit code 0" in text
    assert "no real money moved" in text


def test_without_html_report_there_is_none(place: Workplace) -> None:
    place.set("io", html_report="false")
    done = place.run("--confirm", "--simulate", STILL, stdin="y\n")
    assert done.code == ExitCode.OK
    assert not list(place.reports.glob("*.html"))
    assert "Page:" not in done.out


def test_a_page_that_cannot_be_written_is_a_warning(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _page: Page) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src.io.reports.page_file.write_page", full)
    done = place.run("--confirm", "--simulate", STILL, stdin="y\n")
    assert done.code == ExitCode.OK
    assert "could not be written (No space left on device)" in done.err
    assert list(place.reports.glob("rebalance_post_*.csv"))


def test_a_dry_run_files_one_where_it_is_asked_for(place: Workplace) -> None:
    done = place.run("--dry-run", "--simulate", STILL, "--html")
    (page,) = place.reports.glob("*.html")
    assert "its page in" in done.out
    assert "nothing was sent" in page.read_text(encoding="utf-8")
    assert place.run("--check", "--html").code == ExitCode.INPUT


def test_history_is_one_page_or_that_of_a_run(place: Workplace, tmp_path: Path) -> None:
    for _ in range(2):
        place.run("--confirm", "--simulate", STILL, stdin="y\n")
    every, one = tmp_path / "all.html", tmp_path / "one.html"
    done = place.run("--simulated", "--html", str(every), main=history.main)
    assert (done.code, done.out) == (ExitCode.OK, f"The page is {every}\n")
    assert every.read_text(encoding="utf-8").count("<polyline") == 3
    run_id = place.run_id()
    assert place.run(run_id, "--simulated", "--html", str(one), main=history.main).code == 0
    assert f"Run {run_id} began" in one.read_text(encoding="utf-8")
    again = place.run("--simulated", "--html", str(every), main=history.main)
    assert again.code == ExitCode.INPUT
    assert "name a new file" in again.err


# --- in a browser ---------------------------------------------------------------------------


def browse(page: Path, width: int, *flags: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER
    return subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *(f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},1200"),
            *(*flags, page.as_uri()),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT_SEC,
        check=True,
    )


@pytest.mark.skipif(not BROWSER, reason="no chromium is installed: the page is not looked at")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_it_without_complaint_or_sideways_scrolling(
    width: int, place: Workplace, tmp_path: Path
) -> None:
    place.run("--confirm", "--simulate", STILL, stdin="y\n")
    (filed,) = place.reports.glob("*.html")
    picture = tmp_path / "page.png"
    seen = browse(filed, width, f"--screenshot={picture}")
    assert picture.stat().st_size > 20_000
    assert not re.search(r"CONSOLE", seen.stderr)
    framed = tmp_path / "framed.html"
    inside = escape(filed.read_text(encoding="utf-8"))
    framed.write_text(FRAME.format(width=width, page=inside), encoding="utf-8")
    shown = browse(framed, 1600, "--dump-dom").stdout
    found = re.search(r"<title>wide (\d+) of (\d+)</title>", shown)
    assert found
    assert width - 20 <= int(found[1]) == int(found[2]) <= width


@pytest.mark.skipif(not BROWSER, reason="no chromium is installed: the page is not looked at")
def test_a_browser_runs_nothing_that_a_text_says(tmp_path: Path) -> None:
    text = "<script>document.title='ran'</script>"
    page = Page("Quiet", (text,), (Section(text),), is_simulated=False)
    safe, unsafe = tmp_path / "safe.html", tmp_path / "unsafe.html"
    safe.write_text(render_page(page), encoding="utf-8")
    unsafe.write_text(render_page(replace_lead(page)).replace("@@", text), encoding="utf-8")
    assert "<title>Quiet</title>" in browse(safe, 800, "--dump-dom").stdout
    blocked = browse(unsafe, 800, "--dump-dom")
    assert "<title>Quiet</title>" in blocked.stdout  # the page's own policy forbids scripts
    assert "Content Security Policy" in blocked.stderr


def replace_lead(page: Page) -> Page:
    return page._replace(lead=("@@",))
