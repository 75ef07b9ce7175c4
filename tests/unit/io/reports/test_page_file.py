"""The page as HTML: whatever its texts are they stay texts, and everybody can read it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from src.base.known_accounts import learn_accounts
from src.core.history.page import Page, Section, bar_chart, line_chart, table
from src.core.history.pages import run_page
from src.core.run.fold import fold
from src.io.reports.page_file import render_page, write_page
from tests.kits.builders import ACCOUNT, dec
from tests.kits.journal_kit import whole_run

HOSTILE = "<script>alert('A&B')</script>\"><img src=x onerror=1>\x1b[31m\u202e"
DRAWN = {"svg", "title", "line", "rect", "polyline", "text"}
TEXTS = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "div"}
TEXTS |= {"h1", "h2", "p", "figure", "figcaption", "span", "table", "thead", "tbody", "tr"}
TEXTS |= {"th", "td"}


class Reader(HTMLParser):
    """What a browser would find: tags with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def hostile_page() -> Page:
    bars = bar_chart(HOSTILE, (HOSTILE, "after"), [(HOSTILE, (dec("0.1"), None))])
    line = line_chart(HOSTILE, [(HOSTILE, dec(1), HOSTILE), (HOSTILE, dec(2), HOSTILE)])
    sections = (
        Section(HOSTILE, (HOSTILE,), bars, table((HOSTILE, "x"), [(HOSTILE, HOSTILE)])),
        Section(HOSTILE, chart=line, is_warning=True),
    )
    return Page(HOSTILE, (HOSTILE,), sections, is_simulated=True)


def test_hostile_texts_stay_texts() -> None:
    page = Reader(render_page(hostile_page()))
    assert {tag for tag, _ in page.tags} <= DRAWN | TEXTS
    texts = [re.sub("^(lowest|highest) ", "", text) for text in page.texts]
    shown = [text for text in texts if "alert" in text]
    assert len(shown) > 10
    assert set(shown) == {HOSTILE.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")}
    assert all(name != "href" and not name.startswith("on") for _, has in page.tags for name in has)


def test_nothing_is_asked_of_anybody() -> None:
    html = render_page(run_page(fold(whole_run())))
    policy = next(
        has["content"] for tag, has in Reader(html).tags if tag == "meta" and "content" in has
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"https?:|url\(|@import|<script|<link|src=", html)


def test_what_a_chart_shows_stands_in_a_table_and_is_named() -> None:
    page = run_page(fold(whole_run()))
    drift = next(one for one in page.sections if one.heading == "Drift")
    assert drift.chart
    assert drift.table
    assert drift.chart.title == "Drift per symbol"
    drawn = {mark.text for mark in drift.chart.marks}
    assert (
        drawn == {row[0].text for row in drift.table.rows} == {"AAA", "BBB", "CCC", "DDD", "CASH"}
    )
    titles = [tag for tag, _ in Reader(render_page(page)).tags].count("title")
    assert titles == 1 + sum(one.chart is not None for one in page.sections)


def test_what_was_executed_adds_up_before_the_readers_eyes() -> None:
    page = run_page(fold(whole_run()))
    account = next(one for one in page.sections if one.heading == "Account")
    assert account.table
    assert account.table.rows[0][0].text == "Net liq"
    orders = next(one for one in page.sections if one.heading == "Orders")
    assert orders.table
    assert [row[0].text for row in orders.table.rows] == ["AAA", "BBB", "CCC", "DDD"]
    assert {row[2].text for row in orders.table.rows} == {"Filled"}


def test_bars_begin_at_zero_and_are_as_long_as_their_values() -> None:
    chart = bar_chart("Drift", ("before", "after"), [("AAA", (dec("-0.1"), dec("0.3")))])
    first, second = chart.bars
    assert dec(first.x) + dec(first.width) == dec(second.x) == dec(chart.axis_x)
    assert dec(second.width) == 3 * dec(first.width)
    assert dec(second.x) + dec(second.width) == chart.width


def test_one_value_is_no_line_and_equal_ones_are_a_flat_one() -> None:
    assert line_chart("Net liq", [("2025-01-31", dec(5), "$5")]) is None
    flat = line_chart("Net liq", [("2025-01-31", dec(5), "$5"), ("2025-02-28", dec(5), "$5")])
    assert flat
    assert flat.points == "0.0,20.0 600.0,20.0"


def test_accounts_are_masked_and_no_file_is_replaced(tmp_path: Path) -> None:
    learn_accounts([ACCOUNT])
    path = write_page(tmp_path / "page.html", run_page(fold(whole_run())))
    assert ACCOUNT not in path.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_page(path, run_page(fold(whole_run())))


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_a_text_stands_out_by_day_by_night_and_on_paper() -> None:
    style = render_page(hostile_page()).partition("<style>")[2].partition("</style>")[0]
    schemes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 3
    for colours in schemes:
        pairs = [(name, "paper") for name in ("ink", "faint", "first", "second")]
        for text, ground in [*pairs, ("warn-ink", "warn-paper")]:
            light, dark = sorted((luminance(colours[text]), luminance(colours[ground])))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground, colours)
