"""Settings and portfolio CSV against each other."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import ConfigError
from src.base.settings import IbkrSettings, RebalanceSettings, Settings
from src.core.records.portfolios import CASH, ModelPortfolios
from src.core.targets import build_targets
from src.io.config_loader import load_settings
from src.io.cross_checks import check_models, mix_by_column, mix_warnings, mixed_cash
from src.io.portfolio_csv import load_portfolios

D = Decimal


def settings_with(models: Mapping[str, str], max_leverage: str = "1.5") -> Settings:
    return Settings(
        ibkr=IbkrSettings(account_id="DU1234567"),
        models={name: D(weight) for name, weight in models.items()},
        rebalance=RebalanceSettings(max_leverage=D(max_leverage)),
        source="s.ini",
    )


def portfolios_with(cash: Mapping[str, str]) -> ModelPortfolios:
    models = {name: {"SPY": 1 - D(weight), CASH: D(weight)} for name, weight in cash.items()}
    return ModelPortfolios(models=models, symbols=("SPY",), source="p.csv", lines={"SPY": 2})


def test_names_match_without_case() -> None:
    settings = settings_with({"smurf": "0.6", "Straße": "0.4"})
    portfolios = portfolios_with({"SMURF": "0", "STRASSE": "0"})
    check_models(settings, portfolios)
    assert mix_by_column(settings.models, portfolios) == {"SMURF": D("0.6"), "STRASSE": D("0.4")}


def test_names_match_in_every_unicode_form() -> None:
    settings = settings_with({"CAFE\u0301": "0.6", "\u212bngstr\u00f6m": "0.4"})
    portfolios = portfolios_with({"caf\u00e9": "0", "\u00c5NGSTRO\u0308M": "0"})
    check_models(settings, portfolios)
    mix = {"caf\u00e9": D("0.6"), "\u00c5NGSTRO\u0308M": D("0.4")}
    assert mix_by_column(settings.models, portfolios) == mix
    assert mixed_cash(settings.models, portfolios) == 0
    assert build_targets(portfolios, settings.models).weights["SPY"] == 1


def test_each_side_needs_the_other() -> None:
    settings = settings_with({"SMURFF": "0.5", "GLTR": "0.5"})
    portfolios = portfolios_with({"SMURF": "0", "GLTR": "0", "OTHER": "0"})
    with pytest.raises(ConfigError) as caught:
        check_models(settings, portfolios)
    assert [str(problem) for problem in caught.value.problems] == [
        "s.ini [models] SMURFF: p.csv has no such column (did you mean SMURF?)",
        "p.csv column SMURF: s.ini [models] has no such key (did you mean SMURFF?)",
        (
            "p.csv column OTHER: s.ini [models] has no such key "
            "(give it a weight, 0 if it is not wanted)"
        ),
    ]


def test_problems_name_the_lines_of_the_files(tmp_path: Path) -> None:
    ini, csv = tmp_path / "s.ini", tmp_path / "p.csv"
    ini.write_text(
        "[ibkr]\naccount_id = DU1\n[models]\nSMURFF = 1\n[rebalance]\nMax_Leverage = 1\n",
        encoding="utf-8",
    )
    csv.write_text("# mine\nETF,SMURF\nSPY,120\nCASH,-20\n", encoding="utf-8")
    settings, portfolios = load_settings(ini), load_portfolios(csv)
    with pytest.raises(ConfigError) as mismatch:
        check_models(settings, portfolios)
    with pytest.raises(ConfigError) as leverage:
        check_models(settings._replace(models={"SMURF": D(1)}), portfolios)
    places = [one.where for error in (mismatch, leverage) for one in error.value.problems]
    assert places == [
        f"{ini}:4 [models] SMURFF",
        f"{csv}:2 column SMURF",
        f"{ini}:6 [rebalance] max_leverage",
    ]


@pytest.mark.parametrize(("cash", "cap"), [("-0.5", "1.5"), ("-3", "4"), ("0", "1")])
def test_leverage_up_to_the_cap_is_allowed(cash: str, cap: str) -> None:
    check_models(settings_with({"A": "1"}, cap), portfolios_with({"A": cash}))


def test_leverage_above_the_cap_is_refused() -> None:
    settings = settings_with({"A": "0.5", "B": "0.5"}, "1.1")
    with pytest.raises(ConfigError) as caught:
        check_models(settings, portfolios_with({"A": "-0.3", "B": "0.05"}))
    assert str(caught.value).startswith(
        "s.ini [rebalance] max_leverage: the models' mixed CASH target of -12.5000% implies a "
        "leverage of 1.1250, above max_leverage 1.1"
    )


def test_mixed_cash_divides_mix_and_columns_by_their_own_sums() -> None:
    uneven = ModelPortfolios(
        models={"A": {"SPY": D("0.5"), CASH: D("0.4999")}},
        symbols=("SPY",),
        source="p.csv",
        lines={},
    )
    assert mixed_cash({"a": D("0.999")}, uneven).quantize(D("1e-9")) == D("0.499949995")


def test_mixes_worth_a_warning() -> None:
    all_cash = mix_warnings(
        settings_with({"A": "1", "B": "0"}), portfolios_with({"A": "1", "B": "0"})
    )
    assert all_cash == (
        "the models ask for 100% CASH: every managed holding will be SOLD",
        "weight 0 in the mix: B",
    )
    (borrowing,) = mix_warnings(settings_with({"A": "1"}), portfolios_with({"A": "-0.2"}))
    assert borrowing.startswith("the models BORROW 20.0000% of net liquidation value")
    assert mix_warnings(settings_with({"A": "1"}), portfolios_with({"A": "0.1"})) == ()
