"""Sections of accounts: what each has of its own, what it inherits, and every problem at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from src.app.proposing.user_files import accounts_for, load_inputs
from src.base.errors import ConfigError, ExitCode, InputError
from src.base.settings import Settings
from src.io import validate_config, validate_portfolios
from src.io.config_loader import load_settings, load_settings_file
from src.io.cross_checks import mix_by_column
from src.io.portfolio_csv import load_portfolios
from src.terminal.cli import run_main
from src.terminal.options import read_options

D = Decimal
MAIN = """[ibkr]
port = 4002
[models]
A = 60%
B = 40%
[rebalance]
min_order_usd = 300
[io]
report_dir = filed
"""
TWO = f"""{MAIN}
[account:joint]
id = DU1111567
label = Joint account   ; for both
csv = joint.csv
models = A 25%, B 75%
max_leverage = 1.2
max_orders = 7
[account:IRA]
id = du2222567
"""
CSV = "ETF,A,B\nSPY,60,10\nIAU,40,90\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("joint.csv", "p.csv", "data/portfolios.csv"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(CSV, encoding="utf-8")
    write(TWO)
    return tmp_path


def write(text: str) -> None:
    Path("s.ini").write_text(text, encoding="utf-8")


def accounts(*argv: str) -> tuple[Settings, ...]:
    return accounts_for(read_options(["--config", "s.ini", *(argv or ("--all",))]))


def problems_of(text: str) -> list[str]:
    write(text)
    with pytest.raises(ConfigError) as caught:
        load_settings_file("s.ini")
    return [str(problem) for problem in caught.value.problems]


def test_an_account_has_its_own_and_inherits_the_rest() -> None:
    joint, ira = load_settings_file("s.ini").accounts
    assert (joint.name, joint.label, joint.csv) == ("joint", "Joint account", Path("joint.csv"))
    assert (ira.name, ira.label, ira.csv) == ("IRA", "IRA", None)
    assert (joint.ibkr.account_id, ira.ibkr.account_id) == ("DU1111567", "DU2222567")
    assert joint.models == {"A": D("0.25"), "B": D("0.75")}
    assert ira.models == {"A": D("0.6"), "B": D("0.4")}
    assert (joint.rebalance.max_leverage, ira.rebalance.max_leverage) == (D("1.2"), D("1.50"))
    assert joint.rebalance.min_order_usd == ira.rebalance.min_order_usd == D(300)
    assert (joint.execution.max_orders, ira.execution.max_orders) == (7, 100)
    assert joint.io.report_dir == Path("filed/joint")
    assert ira.io.report_dir == Path("filed/IRA")


def test_a_file_without_sections_is_its_only_account() -> None:
    write("[ibkr]\naccount_id = DU1234567\n[models]\nA = 1\n")
    file = load_settings_file("s.ini")
    assert file.accounts == (file.main,) == (load_settings("s.ini"),)
    assert (file.main.name, file.main.label) == ("", "")


def test_a_single_section_files_where_the_settings_say() -> None:
    write(TWO.partition("[account:IRA]")[0])
    (joint,) = load_settings_file("s.ini").accounts
    assert joint.io.report_dir == Path("filed")


def test_sections_may_bring_all_models_and_leave_out_the_main_ones() -> None:
    write("[account : a b]\nid = DU1\nmodels = My model 50%, A 0.5\n")
    (only,) = load_settings_file("s.ini").accounts
    assert only.models == {"My model": D("0.5"), "A": D("0.5")}
    assert only.name == "a b"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("id = DU1111567", ""), "[account:joint] id: the key is missing"),
        (("DU1111567", "F1, F2"), "[account:joint] id: 'F1, F2' is not valid"),
        (("du2222567", "DU1111567"), "'DU1111567' stands twice (first in [account:joint], line 11"),
        (("id = du2222567", "id = du2\nlabel = joint ACCOUNT"), "[account:IRA] label: 'joint ACC"),
        (("[account:IRA]\nid = du2222567", "[account:Joint]"), "[account:Joint] stands twice"),
        (("[account:IRA]", "[account: joint ]"), "'joint' stands twice"),
        (("[account:IRA]", "[account:../x]"), "the name will not do"),
        (("[account:IRA]", "[account:a,b]"), "the name will not do"),
        (("[account:IRA]", "[account:nul]"), "the name will not do"),
        (("[account:IRA]", "[account:]"), "the name will not do"),
        (("[account:IRA]", "[acount:ira]"), "unknown section (an account's section is called"),
        (("[account:IRA]", "[account]"), "the name will not do"),
        (("port = 4002", "account_id = DU1"), "account_id: stands beside [account:joint]"),
        (("max_orders", "max_order"), "unknown key (did you mean max_orders?)"),
        (("max_orders = 7", "port = 4001"), "unknown key (it belongs in [ibkr], for all accounts"),
        (("max_orders = 7", "batch_orders = no"), "it belongs in [execution], for all accounts"),
        (("max_orders = 7", "allow_live = ja"), "[account:joint] allow_live: 'ja' is not valid"),
        (("A 25%, B 75%", "A 25%, B 70%"), "[account:joint] models: the weights sum to 0.95"),
        (("A 25%, B 75%", "A, B 75%"), "a model whose name has a comma can only stand in"),
        (("A 25%, B 75%", "A 25%, B 75%,"), "expected names with weights"),
        (("A 25%, B 75%", "A 25%, a 75%"), "'a' stands twice"),
        (("A 25%, B 75%", "A 25%, B x"), "expected a fraction from 0 to 1"),
        (("[models]\nA = 60%\nB = 40%\n", ""), "[account:IRA] models: the key is missing"),
    ],
)
def test_each_problem_names_its_section_and_key(change: tuple[str, str], words: str) -> None:
    (problem,) = problems_of(TWO.replace(*change))
    assert words in problem
    assert problem.startswith("s.ini:")


def test_all_problems_of_all_accounts_come_at_once() -> None:
    text = TWO.replace("DU1111567", "?").replace("id = du2222567", "idd = du2")
    assert len(problems_of(text)) == 3


def test_a_model_that_the_accounts_own_csv_lacks_is_named_with_its_line() -> None:
    write(TWO.replace("A 25%, B 75%", "A 25%, BB 75%"))
    joint, _ira = accounts()
    with pytest.raises(ConfigError) as caught:
        load_inputs(read_options([]), joint)
    (problem,) = caught.value.problems
    assert str(problem) == (
        "s.ini:15 [account:joint] models: BB: joint.csv has no such column (did you mean B?)"
    )


def test_columns_that_an_accounts_line_leaves_out_are_no_part_of_its_mix() -> None:
    write(TWO.replace("A 25%, B 75%", "B 100%"))
    joint, _ira = accounts()
    inputs = load_inputs(read_options([]), joint)
    assert mix_by_column(joint.models, inputs.portfolios) == {"A": D(0), "B": D(1)}
    assert inputs.targets.weights["SPY"] == D("0.1")


def test_the_leverage_that_an_account_allows_is_its_own() -> None:
    Path("joint.csv").write_text("ETF,A,B\nSPY,130,130\nCASH,-30,-30\n", encoding="utf-8")
    joint, _ira = accounts()
    with pytest.raises(ConfigError) as caught:
        load_inputs(read_options([]), joint)
    assert "s.ini:16 [account:joint] max_leverage" in str(caught.value)


def test_a_csv_is_looked_for_beside_the_settings_too(files: Path) -> None:
    Path("family").mkdir()
    Path("joint.csv").rename("family/mine.csv")
    Path("family/s.ini").write_text(TWO.replace("joint.csv", "mine.csv"), encoding="utf-8")
    joint, _ira = load_settings_file("family/s.ini").accounts
    assert joint.csv == Path("family/mine.csv")
    assert load_portfolios(joint.csv).symbols == ("IAU", "SPY")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("joint", ["joint"]),
        ("ira,JOINT", ["joint", "IRA"]),
        ("joint account", ["joint"]),
        ("DU2222567", ["IRA"]),
    ],
)
def test_accounts_are_chosen_by_name_label_or_id(wanted: str, names: list[str]) -> None:
    assert [one.name for one in accounts("--account", wanted)] == names


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(InputError, match=r"no such account \(accounts are joint, IRA\)"):
        accounts("--account", "xyz")
    with pytest.raises(InputError, match="did you mean joint"):
        accounts("--account", "jiont")


def test_several_accounts_where_one_is_needed_are_named() -> None:
    with pytest.raises(ConfigError, match=r"2 accounts and one must be chosen.*joint, IRA"):
        load_settings("s.ini")


def test_a_csv_for_all_accounts_is_refused() -> None:
    with pytest.raises(InputError, match="each names its own"):
        accounts("--csv", "p.csv", "--account", "joint")


def test_checking_the_settings_tells_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(lambda: validate_config.main(["s.ini"])) == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == [
        'OK: s.ini: joint "Joint account": account DU***1567 (paper, read-only), mix A 25%, B 75%',
        "OK: s.ini: IRA: account DU***2567 (paper, read-only), mix A 60%, B 40%",
    ]


def test_checking_the_settings_refuses_a_master(capsys: pytest.CaptureFixture[str]) -> None:
    write(TWO.replace("du2222567", "DF2222567"))
    assert run_main(lambda: validate_config.main(["s.ini"])) == ExitCode.REFUSED
    assert "DF***567 is the master" in capsys.readouterr().err


def test_checking_the_portfolios_tells_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["p.csv", "--offline", "--config", "s.ini"]
    assert run_main(lambda: validate_portfolios.main(argv)) == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == [
        'OK: joint.csv: joint "Joint account": 2 symbols in 2 models (A, B), symbols not looked up',
        "OK: p.csv: IRA: 2 symbols in 2 models (A, B), symbols not looked up",
    ]


def test_checking_the_portfolios_shows_all_problems(capsys: pytest.CaptureFixture[str]) -> None:
    Path("joint.csv").write_text(CSV.replace("60", "61"), encoding="utf-8")
    Path("p.csv").write_text(CSV.replace("90", "91"), encoding="utf-8")
    argv = ["p.csv", "--offline", "--config", "s.ini"]
    assert run_main(lambda: validate_portfolios.main(argv)) == ExitCode.INPUT
    err = capsys.readouterr().err
    assert "joint.csv" in err
    assert "p.csv" in err
