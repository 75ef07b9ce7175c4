"""F116: the broker's last bad word about each subject, until it takes it back."""

from __future__ import annotations

import pytest

from src.broker.client.notices import Notices, Topic, last_few

BROKEN = "Market data farm connection is broken:"
OK = "Market data farm connection is OK:"


def heard(*messages: tuple[int, str]) -> Notices:
    notices = Notices()
    for code, text in messages:
        assert notices.hear(code, text)
    return notices


def test_a_broken_farm_stands_until_it_is_ok_again() -> None:
    notices = heard((2103, BROKEN + "usfarm"))
    assert notices.about(Topic.QUOTES) == (f"2103: {BROKEN}usfarm",)
    assert notices.about(Topic.CONTRACTS) == ()
    notices.hear(2104, OK + "eufarm")
    assert notices.about(Topic.QUOTES) == (f"2103: {BROKEN}usfarm",)
    notices.hear(2104, OK + "USFARM")
    assert notices.about(Topic.QUOTES) == ()


@pytest.mark.parametrize(
    ("topic", "bad", "good"),
    [
        (Topic.QUOTES, 2103, 2104),
        (Topic.QUOTES, 2119, 2104),
        (Topic.QUOTES, 2103, 2108),
        (Topic.HISTORY, 2105, 2106),
        (Topic.HISTORY, 2105, 2107),
        (Topic.CONTRACTS, 2157, 2158),
        (Topic.LINE, 1100, 1101),
        (Topic.LINE, 1100, 1102),
        (Topic.LINE, 2110, 1102),
    ],
)
def test_each_subject_has_its_bad_and_its_good_word(topic: Topic, bad: int, good: int) -> None:
    notices = heard((bad, "Verbindung unterbrochen:usfarm"))
    assert notices.about(topic) == (f"{bad}: Verbindung unterbrochen:usfarm",)
    notices.hear(good, "Verbindung steht:usfarm")
    assert notices.about(topic) == ()


def test_only_the_last_word_about_a_subject_is_told_and_each_subject_once() -> None:
    notices = heard(
        (2103, BROKEN + "usfarm"), (2103, BROKEN + "eufarm"), (2119, "Connecting:usfarm")
    )
    assert notices.about(Topic.QUOTES) == (f"2103: {BROKEN}eufarm", "2119: Connecting:usfarm")


@pytest.mark.parametrize("code", [2104, 2106])
def test_a_farm_without_a_name_is_any_farm(code: int) -> None:
    nameless = heard((2103, "broken"), (2105, "broken"))
    nameless.hear(code, "all is well:usfarm")
    assert len(nameless.about(Topic.QUOTES, Topic.HISTORY)) == 1
    named = heard((2103, BROKEN + "usfarm"), (2105, BROKEN + "ushmds"))
    named.hear(code, "all is well")
    assert len(named.about(Topic.QUOTES, Topic.HISTORY)) == 1


def test_a_lost_line_explains_everything() -> None:
    notices = heard((1100, "lost"), (2157, "Sec-def data farm connection is broken:secdefil"))
    assert notices.about(Topic.ACCOUNT) == ("1100: lost",)
    assert len(notices.about(Topic.CONTRACTS)) == 2


@pytest.mark.parametrize("code", [2104, 2106, 2107, 2108, 2158, 9999])
def test_what_is_not_bad_is_about_nothing(code: int) -> None:
    assert heard((code, "text:usfarm")).about(*Topic) == ()


def test_a_few_words_are_told_and_none_twice() -> None:
    assert last_few(["a", "b", "a", "c", "d"]) == "b; c; d"
    assert last_few([]) == ""
