"""Settings: every key, range and name; every problem at once, each with line and expectation."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import ConfigError
from src.base.known_accounts import mask_accounts
from src.base.settings import (
    ContractChoice,
    ExecutionSettings,
    IbkrSettings,
    IoSettings,
    NotifySettings,
    PricingSettings,
    RebalanceSettings,
    Settings,
)
from src.io.config_loader import load_settings
from src.io.settings_file.keys import KEY_RULES
from src.io.settings_file.values import command_line

D = Decimal
SAMPLE = Path("config/settings.ini")
MINIMAL = "[ibkr]\naccount_id = DU1234567\n[models]\nA = 1\n"


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "settings.ini"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(tmp_path: Path, content: str | bytes) -> Settings:
    return load_settings(write(tmp_path, content))


def problems_of(tmp_path: Path, content: str | bytes) -> list[str]:
    """The problems of a file that is wrong, with the directory cut off."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, content)
    return [
        str(problem).replace(str(tmp_path), "").lstrip("/\\") for problem in caught.value.problems
    ]


def with_line(section: str, line: str) -> str:
    """The minimal file with one more line in a section."""
    if f"[{section}]" in MINIMAL:
        return MINIMAL.replace(f"[{section}]\n", f"[{section}]\n{line}\n")
    return f"{MINIMAL}[{section}]\n{line}\n"


def test_left_out_keys_take_their_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL)
    assert settings.ibkr == IbkrSettings(account_id="DU1234567")
    assert settings.rebalance == RebalanceSettings()
    assert settings.pricing == PricingSettings()
    assert settings.execution == ExecutionSettings()
    assert settings.io == IoSettings()
    assert settings.models == {"A": 1}
    assert settings.warnings == ()


def test_sample_names_every_key_with_its_default() -> None:
    settings = load_settings(SAMPLE)
    assert settings.ibkr == IbkrSettings(account_id="DU0000000")
    assert settings.rebalance == RebalanceSettings()
    assert settings.pricing == PricingSettings()
    assert settings.execution == ExecutionSettings()
    assert settings.io == IoSettings()


def test_sample_shows_in_the_open_only_what_everybody_sets() -> None:
    shown = [key for section, key in load_settings(SAMPLE).lines if section != "models"]
    assert len(shown) == 8
    text = SAMPLE.read_text(encoding="utf-8")
    for rules in KEY_RULES.values():
        for key in rules.keys() - {"order_type"}:  # it has one value
            assert (f"\n{key} = " in text) != (f"\n;{key} = " in text), key
    assert text.count("seldom needed") > 1


def test_sample_with_every_key_in_the_open_means_the_same(tmp_path: Path) -> None:
    """Taking the comment signs away changes nothing."""
    text = re.sub(r"^;(?=\w+ = )", "", SAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    opened, sample = load(tmp_path, text), load_settings(SAMPLE)
    named = {"source", "content", "lines"}
    for field in set(Settings._fields) - named:
        assert getattr(opened, field) == getattr(sample, field), field


def test_the_samples_placeholder_is_a_warning_of_its_own() -> None:
    (warning,) = load_settings(SAMPLE).warnings
    assert "DU0000000" in warning
    assert "placeholder" in warning


def test_f118_contracts_take_any_ticker_and_an_id_or_an_exchange(tmp_path: Path) -> None:
    text = f"{MINIMAL}[contracts]\nexus = 12345678 ; NASDAQ, A FUND\nBRK B = nyse\nA: 1\n"
    settings = load(tmp_path, text)
    assert settings.contracts == {
        "EXUS": ContractChoice(con_id=12345678),
        "BRK B": ContractChoice(exchange="NYSE"),
        "A": ContractChoice(con_id=1),
    }
    assert settings.lines["contracts", "BRK B"] == 7


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("EXUS = 0", "EXUS: '0' is not valid: expected a conId"),
        ("EXUS = 2147483648", "expected a conId"),
        ("EXUS = 1.5", "expected a conId"),
        ("EXUS =", "expected a conId"),
        ("EXUS = SMART", "the exchange of its listing"),
        ("EXUS = 12 ARCA", "expected a conId"),
        ("CASH = 1", "cash is no instrument"),
        ("A!B = 1", "'A!B' is not a ticker"),
        ("EXUS = 1\nexus = 2", "'exus' stands twice"),
    ],
)
def test_f118_what_is_no_choice_is_named_with_its_line(
    tmp_path: Path, line: str, words: str
) -> None:
    (problem,) = problems_of(tmp_path, f"{MINIMAL}[contracts]\n{line}\n")
    assert problem.startswith(f"settings.ini:{5 + line.count('exus') + 1} [contracts]")
    assert words in problem


def test_every_field_of_the_records_has_a_key() -> None:
    records = {
        "ibkr": IbkrSettings,
        "rebalance": RebalanceSettings,
        "pricing": PricingSettings,
        "execution": ExecutionSettings,
        "notify": NotifySettings,
        "io": IoSettings,
    }
    for section, record in records.items():
        named = {rule.field for rule in KEY_RULES[section].values()}
        assert named == set(record.__annotations__)


@pytest.mark.parametrize(
    ("section", "line", "field", "value"),
    [
        ("ibkr", "port = 1", "port", 1),
        ("ibkr", "PORT: 65535", "port", 65535),
        ("ibkr", "client_id = 2147483647", "client_id", 2147483647),
        ("ibkr", "host = ::1", "host", "::1"),
        ("ibkr", "read_only = No", "read_only", False),
        ("ibkr", "connect_timeout_sec = 0.5", "connect_timeout_sec", D("0.5")),
        ("rebalance", "per_holding_band_bps = 12.5", "per_holding_band_weight", D("0.00125")),
        ("rebalance", "per_holding_band_bps = 0.5%", "per_holding_band_weight", D("0.005")),
        ("rebalance", "per_holding_band_bps = 0 %", "per_holding_band_weight", D(0)),
        (
            "rebalance",
            "portfolio_total_band_bps = 1.25%",
            "portfolio_total_band_weight",
            D("0.0125"),
        ),
        ("rebalance", "portfolio_total_band_bps = 0", "portfolio_total_band_weight", D(0)),
        ("rebalance", "cash_buffer_pct = 0", "cash_buffer_weight", D(0)),
        ("rebalance", "cash_buffer_pct = 0.2", "cash_buffer_weight", D("0.2")),
        ("rebalance", "cash_buffer_pct = 0.5%", "cash_buffer_weight", D("0.005")),
        ("rebalance", "cash_buffer_pct = 50 %", "cash_buffer_weight", D("0.5")),
        ("rebalance", "cash_buffer_abs = 1000.50", "cash_buffer_usd", D("1000.50")),
        ("rebalance", "max_leverage = 1", "max_leverage", D(1)),
        ("rebalance", "max_leverage = 4", "max_leverage", D(4)),
        ("rebalance", "trigger_mode = Total_Drift", "trigger_mode", "total_drift"),
        ("pricing", "price_source = mid ; comment", "price_source", "mid"),
        ("execution", "price_move_limit_pct = 2.5%", "price_move_limit_weight", D("0.025")),
        ("execution", "max_orders = 1", "max_orders", 1),
        ("notify", "command =", "command", ()),
        ("notify", "command = \"a b\" 'c d' # said", "command", ("a b", "c d")),
        ("notify", 'command = "a b"', "command", ("a b",)),
        ("notify", "on = Failed, due", "on", ("due", "failed")),
        ("io", "report_dir = out#1 # comment", "report_dir", Path("out#1")),
        ("io", "log_level = debug", "log_level", "DEBUG"),
    ],
)
def test_valid_values(tmp_path: Path, section: str, line: str, field: str, value: object) -> None:
    settings = load(tmp_path, with_line(section, line))
    found = settings._asdict()[section]._asdict()
    assert found[field] == value


@pytest.mark.parametrize(
    ("section", "line", "expected"),
    [
        ("ibkr", "port = 0", "from 1 to 65535"),
        ("ibkr", "port = 65536", "from 1 to 65535"),
        ("ibkr", "port = 4002.0", "from 1 to 65535"),
        ("ibkr", "port = 4_002", "from 1 to 65535"),
        ("ibkr", "port =", "from 1 to 65535"),
        ("ibkr", "port = \u0664\u0660\u0660\u0662", "from 1 to 65535"),
        ("ibkr", "client_id = 0", "from 1 to 2147483647"),
        ("ibkr", "client_id = 2147483648", "from 1 to 2147483647"),
        ("ibkr", "host =", "host name or IP address"),
        ("ibkr", "host = localhost:4002", "without a port"),
        ("ibkr", "host = http://x", "host name or IP address"),
        ("ibkr", "read_only = ture", "true or false"),
        ("ibkr", "connect_timeout_sec = 0", "seconds above 0"),
        ("ibkr", "connect_timeout_sec = nan", "seconds above 0"),
        ("rebalance", "max_leverage = 0.99", "1 to 4"),
        ("rebalance", "max_leverage = 4.01", "1 to 4"),
        ("rebalance", "max_leverage = inf", "1 to 4"),
        ("rebalance", "min_order_usd = -1", "0 or more"),
        ("rebalance", "min_order_usd = 1e400", "0 or more"),
        ("rebalance", "min_order_usd = 1,5", "decimal point and no commas"),
        ("rebalance", "min_order_usd = 0x10", "0 or more"),
        ("rebalance", "min_order_usd = +-1", "0 or more"),
        ("rebalance", "per_holding_band_bps = -1", "basis points or a percent, 0 or more"),
        ("rebalance", "cash_buffer_pct = 0.5", "0.5 could mean 0.5% or 50%: write which"),
        ("rebalance", "cash_buffer_pct = 1", "1 could mean 1% or 100%: write which"),
        ("rebalance", "cash_buffer_pct = 100%", "below 100%"),
        ("rebalance", "cash_buffer_pct = -1%", "from 0% to below 100%"),
        ("rebalance", "cash_buffer_type = percent", "pct or abs"),
        ("rebalance", "trading_hours = all", "rth or eth"),
        ("rebalance", "unlisted_positions = hold", "sell, keep or abort"),
        ("pricing", "price_source = lats", "last, close, bid, ask or mid"),
        ("execution", "order_type = limit", "market"),
        ("execution", "price_move_limit_pct = 1", "with the % sign"),
        ("execution", "price_move_limit_pct = 0%", "above 0"),
        ("execution", "max_orders = 0", "from 1 to"),
        ("notify", 'command = "mail', "whose quotation marks are closed"),
        ("notify", "command = mail\x1b", "in printable characters"),
        ("notify", "on =", "one or more of due, traded and failed"),
        ("notify", "on = due traded", "one or more of due, traded and failed"),
        ("io", "log_level = TRACE", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("io", "report_dir =", "path of a directory"),
        ("io", "report_dir = a\x1b[1m", "path of a directory"),
    ],
)
def test_invalid_values(tmp_path: Path, section: str, line: str, expected: str) -> None:
    (problem,) = problems_of(tmp_path, with_line(section, line))
    key = line.partition(" ")[0]
    number = with_line(section, line).split("\n").index(line) + 1
    assert problem.startswith(f"settings.ini:{number} [{section}] {key}: '")
    assert expected in problem
    assert problem.isprintable()


def test_a_command_is_split_like_a_command_line_on_every_system() -> None:
    unix = r"curl -d @- 'a b' c\ d $HOME"
    assert command_line(unix, is_windows=False) == ("curl", "-d", "@-", "a b", "c d", "$HOME")
    windows = r'''"C:\My Tools\tell.exe" -x a\b "it's"'''
    words = ("C:\\My Tools\\tell.exe", "-x", r"a\b", "it's")
    assert command_line(windows, is_windows=True) == words


def test_every_problem_is_reported_in_file_order(tmp_path: Path) -> None:
    fraction = "expected a fraction from 0 to 1, or a percent such as 50%"
    text = "[ibkr]\nport = x\nacount_id = DU1\n[rebalanse]\n[models]\nA = 2\n"
    assert problems_of(tmp_path, text) == [
        "settings.ini:1 [ibkr] account_id: the key is missing",
        "settings.ini:2 [ibkr] port: 'x' is not valid: expected a whole number from 1 to 65535",
        "settings.ini:3 [ibkr] acount_id: unknown key (did you mean account_id?)",
        "settings.ini:4 [rebalanse]: unknown section (did you mean rebalance?)",
        "settings.ini:6 [models] A: '2' is not valid: " + fraction,
    ]


def test_a_key_in_the_wrong_section_is_told_where_it_belongs(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, with_line("io", "max_leverage = 2"))
    assert problem.endswith("unknown key (it belongs in [rebalance])")


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("[ibkr]\nport = 1\nPORT = 2\n", "'PORT' stands twice (first in line 6 as '1'; keep one)"),
        ("[io]\n[IO]\n", "section [IO] stands twice (first in line 5"),
        ("[io]\n[io]\n", "section [io] stands twice (first in line 5"),
        ("[models]\na = 0\n", "'a' stands twice (first in line 4"),
    ],
)
def test_duplicates_are_refused_with_both_lines(tmp_path: Path, extra: str, expected: str) -> None:
    assert any(expected in problem for problem in problems_of(tmp_path, MINIMAL + extra))


@pytest.mark.parametrize(
    "models",
    [
        "SMURF = 50%\nsmurf = 50%",
        "SMURF = 1\nSmurf = 30%\nsMURF = 0",
        "CAF\u00c9 = 50%\ncafe\u0301 = 50%",
        "SMURF = 40%\nBADASS 60%",
    ],
)
def test_a_line_of_the_mix_that_cannot_count_is_one_problem(tmp_path: Path, models: str) -> None:
    problems = problems_of(tmp_path, f"[ibkr]\naccount_id = DU1234567\n[models]\n{models}\n")
    assert len(problems) == models.count("\n")
    assert not [problem for problem in problems if "sum" in problem]


def test_a_model_s_name_is_kept_composed(tmp_path: Path) -> None:
    text = MINIMAL.replace("A = 1", "Cafe\u0301 = 1")
    assert list(load(tmp_path, text).models) == ["Caf\u00e9"]


def test_default_section_does_not_satisfy_required_keys(tmp_path: Path) -> None:
    text = "[DEFAULT]\naccount_id = DU1234567\n[ibkr]\n[models]\nA = 1\n"
    problems = problems_of(tmp_path, text)
    assert problems[0].startswith("settings.ini:1 [DEFAULT]: unknown section")
    assert problems[1] == "settings.ini:3 [ibkr] account_id: the key is missing"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "settings.ini [ibkr]: the section is missing"),
        ("[ibkr]\naccount_id = DU1\n", "settings.ini [models]: the section is missing"),
        ("[ibkr]\naccount_id = DU1\n[models]\n", "no model is named"),
        (MINIMAL + "x = 1\n  2\n", "is indented below a key"),
        (MINIMAL + "just words\n", "is not a setting (write key = value)"),
        (MINIMAL + "= 5\n", "is not a setting"),
        (MINIMAL + "[io\n", "is not a section"),
        (MINIMAL + "[]\n", "is not a section"),
        ("a = 1\n" + MINIMAL, "stands before the first [section]"),
    ],
)
def test_malformed_files(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems_of(tmp_path, text))


def test_indented_keys_and_comments_are_fine(tmp_path: Path) -> None:
    text = "[ibkr]\n  account_id = DU1\n  port = 5\n    ; comment\n\n[models]\n\tA = 100%\n"
    assert load(tmp_path, text).ibkr.port == 5


@pytest.mark.parametrize(
    ("mix", "total"),
    [
        ("A = 0.5\nB = 0.4989\n", "0.9989"),
        ("A = 50%\nB = 50.11%\n", "1.0011"),
    ],
)
def test_mix_must_sum_to_one(tmp_path: Path, mix: str, total: str) -> None:
    (problem,) = problems_of(tmp_path, MINIMAL.replace("A = 1\n", mix))
    assert (
        problem == f"settings.ini:3 [models]: the weights sum to {total}, expected 1 within 0.001"
    )


@pytest.mark.parametrize("mix", ["A = 0.5\nB = 0.499\n", "A = 50%\nB = 0.501\n"])
def test_mix_tolerance_is_inclusive(tmp_path: Path, mix: str) -> None:
    assert len(load(tmp_path, MINIMAL.replace("A = 1\n", mix)).models) == 2


@pytest.mark.parametrize("value", ["-0.1", "1.01", "101%", "half", "", "50%%"])
def test_model_weights_out_of_range(tmp_path: Path, value: str) -> None:
    (problem,) = problems_of(tmp_path, MINIMAL.replace("A = 1", f"A = {value}"))
    assert "expected a fraction from 0 to 1" in problem


@pytest.mark.parametrize(
    ("text", "account"), [("du1234567", "DU1234567"), ("  DU 1234567 ", "DU1234567")]
)
def test_account_case_and_spaces_are_forgiven(tmp_path: Path, text: str, account: str) -> None:
    assert load(tmp_path, MINIMAL.replace("DU1234567", text)).ibkr.account_id == account


@pytest.mark.parametrize("text", ["", "All", "DU1234567,DU7654321", "DU1234567 DU7654321", "GROUP"])
def test_lists_and_groups_are_no_account(tmp_path: Path, text: str) -> None:
    (problem,) = problems_of(tmp_path, MINIMAL.replace("DU1234567", text))
    assert "expected one account id" in problem
    assert "DU1234567" not in mask_accounts(problem.partition("is not valid")[0])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + MINIMAL.encode(),
        MINIMAL.replace("\n", "\r\n").encode(),
        MINIMAL.replace("\n", "\r").encode(),
    ],
)
def test_byte_order_mark_and_any_line_end(tmp_path: Path, content: bytes) -> None:
    assert load(tmp_path, content).models == {"A": 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (MINIMAL.encode("utf-16"), "settings.ini: is UTF-16 text (save it as UTF-8 text)"),
        (MINIMAL.encode("utf-16-le"), "settings.ini:1: contains a NUL byte"),
        (MINIMAL.encode() + b"# \xff", "settings.ini:5: is not UTF-8 text: byte 0xff"),
        (b"#" * 1_000_001, "settings.ini: is larger than 1 MB"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, expected: str) -> None:
    (problem,) = problems_of(tmp_path, content)
    assert problem.startswith(expected)


@pytest.mark.parametrize("name", ["absent.ini", ".", "a\x00b", "x" * 5000])
def test_files_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(f"{tmp_path}/{name}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("port = 7496\n", "port 7496 is usually a LIVE session, but DU1234567 is a paper account"),
        ("host = 10.0.0.5\n", "host 10.0.0.5 is another machine"),
    ],
)
def test_contradictory_connections_warn(tmp_path: Path, lines: str, expected: str) -> None:
    (warning,) = load(tmp_path, MINIMAL.replace("[models]", f"{lines}[models]")).warnings
    assert warning.startswith(expected)


def test_live_accounts_warn(tmp_path: Path) -> None:
    live = MINIMAL.replace("DU1234567", "U1234567")
    warnings = load(tmp_path, live).warnings
    assert "port 4002 is usually a paper session, but U1234567 is a LIVE account" in warnings
    assert "U1234567 is a LIVE account and allow_live is false: orders will be refused" in warnings
    armed = live.replace("[models]", "port = 4001\nallow_live = yes\nread_only = no\n[models]")
    (warning,) = load(tmp_path, armed).warnings
    assert warning == "U1234567 is a LIVE account and allow_live is true: orders use real money"


def test_problems_are_bounded(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, MINIMAL + "x\n" * 2000)
    assert len(problems) == 501
    assert problems[-1] == "settings.ini: 1500 more problems"


def test_values_are_escaped_in_messages(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, with_line("ibkr", "\x1b[2Jport\u202e = \x07"))
    assert all(problem.isprintable() for problem in problems)


@pytest.mark.parametrize(
    "quoted", ['"{}"', "'{}'", "\u201c{}\u201d", "\u201e{}\u201c", "\u00a0{}\u00a0"]
)
def test_quotation_marks_around_a_value_are_taken_off(tmp_path: Path, quoted: str) -> None:
    lines = {"account_id": "DU1234567", "host": "localhost", "read_only": "false"}
    written = "".join(f"{key} = {quoted.format(value)} ; why\n" for key, value in lines.items())
    weight = quoted.format("100\u00a0%")
    content = f"[ibkr]\n{written}[models]\nA = {weight}\n"
    settings = load(tmp_path, content)
    assert settings.ibkr == IbkrSettings(account_id="DU1234567", host="localhost", read_only=False)
    assert settings.models == {"A": 1}
