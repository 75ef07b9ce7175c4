"""F-118: which instrument a ticker is, from the file to the order."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import rebalance
from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario.records import (
    ContractSetup,
    PositionSetup,
    Scenario,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

SAMPLE = load_scenario()
BERKSHIRE = ContractSetup(
    con_id=900_010,
    symbol="BRK B",
    price=Decimal(450),
    stock_type="COMMON",
    primary_exchange="NYSE",
    long_name="BERKSHIRE HATHAWAY INC-CL B",
)


def with_further(*contracts: ContractSetup) -> Scenario:
    """The sample with more instruments that can be traded."""
    return sample(contracts=(*SAMPLE.contracts, *contracts))


def write_models(place: Workplace, *symbols: str) -> None:
    """A portfolios file whose three models hold half of each of two symbols."""
    rows = [f"{symbol},50%,50%,50%" for symbol in symbols]
    place.csv.write_text("\n".join(["ETF,SMURF,BADASS,GLTR", *rows, ""]), encoding="utf-8")


def test_f118_a_share_class_written_as_elsewhere_is_told_the_brokers_spelling(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(with_further(BERKSHIRE))
    place.csv.write_text(
        "ETF,SMURF,BADASS,GLTR\nSPY,50%,50%,50%\nBRK.B,50%,,\nBRK-B,,50%,50%\n", encoding="utf-8"
    )
    for flags, main in (((), rebalance.main), ((str(place.csv),), validate_portfolios.main)):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.INPUT
        assert len(done.errors) == 2
        for written, error in zip(("BRK.B", "BRK-B"), done.errors, strict=True):
            assert f"{written}: not known" in error
            assert "IBKR writes it BRK B (BERKSHIRE HATHAWAY INC-CL B)" in error


def test_f118_the_brokers_own_spelling_is_bought(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(with_further(BERKSHIRE))
    write_models(place, "SPY", "BRK B")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert ("BRK B", "BUY") in [(order.symbol, order.side) for order in gateway.orders]


# --- several instruments of one ticker --------------------------------------------------------

FIRST = ContractSetup(
    con_id=900_021,
    symbol="EXUS",
    price=Decimal(30),
    primary_exchange="NASDAQ",
    long_name="WORLD EX USA FUND",
)
OTHER = replace(
    FIRST, con_id=900_022, price=Decimal(70), primary_exchange="ARCA", long_name="EXUS HOLDINGS INC"
)
INDEX = ContractSetup(
    con_id=900_023,
    symbol="EXUS",
    price=Decimal(1000),
    sec_type="IND",
    primary_exchange="CBOE",
    valid_exchanges=("CBOE",),
    long_name="EXUS INDEX",
)
PASTED = (
    "[contracts]",
    "EXUS = 900021  ; NASDAQ, WORLD EX USA FUND",
    "EXUS = 900022  ; ARCA, EXUS HOLDINGS INC",
)
Main = Callable[[Sequence[str]], int]


def two_of_one_ticker(*held: PositionSetup) -> Scenario:
    """The sample with two funds EXUS and an index of that name."""
    setup = SAMPLE.accounts[0]
    return replace(
        with_further(FIRST, OTHER, INDEX),
        accounts=(replace(setup, positions=(*setup.positions, *held)),),
    )


def holding(contract: ContractSetup, quantity: int) -> PositionSetup:
    return PositionSetup(con_id=contract.con_id, quantity=Decimal(quantity))


def commands(place: Workplace) -> list[tuple[Main, Sequence[str]]]:
    """Every command that looks symbols up, with its flags."""
    return [
        (rebalance.main, ()),
        (rebalance.main, ("--confirm",)),
        (validate_portfolios.main, (str(place.csv),)),
        (snapshot.main, ("--csv", str(place.csv))),
    ]


def test_f118_an_ambiguous_ticker_prints_the_lines_that_settle_it(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(two_of_one_ticker())
    write_models(place, "SPY", "EXUS")
    for main, flags in commands(place):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.INPUT
        (error,) = done.errors
        assert "EXUS: the broker knows several instruments of this name" in error
        lines = done.err.splitlines()
        start = lines.index(PASTED[0])
        assert tuple(lines[start : start + 3]) == PASTED
        assert max(map(len, PASTED)) <= 80


@pytest.mark.parametrize("line", PASTED[1:])
def test_f118_a_pasted_line_settles_it_for_every_command(
    place: Workplace, open_gateway: OpenGateway, line: str
) -> None:
    gateway = open_gateway(two_of_one_ticker())
    write_models(place, "SPY", "EXUS")
    paste(place.config, line)
    con_id = int(line.split()[2])
    for main, flags in commands(place):
        done = place.run(*flags, main=main, stdin="y\n")
        assert done.code == ExitCode.OK, done.err
    assert {one.con_id for one in gateway.orders if one.symbol == "EXUS"} == {con_id}


@pytest.mark.parametrize(("exchange", "chosen"), [("nasdaq", FIRST), ("ARCA", OTHER)])
def test_f118_an_exchange_settles_it_too(
    place: Workplace, open_gateway: OpenGateway, exchange: str, chosen: ContractSetup
) -> None:
    open_gateway(two_of_one_ticker())
    write_models(place, "SPY", "EXUS")
    place.set("contracts", EXUS=exchange)
    done = place.run(str(place.csv), main=validate_portfolios.main)
    assert done.code == ExitCode.OK
    assert str(chosen.con_id) in done.out
    assert chosen.long_name in done.out


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("900023", "which is EXUS IND USD CBOE (EXUS INDEX): it is not a stock or ETF but IND"),
        ("900999", "conId 900999, which the broker does not know"),
        ("756733", "which is SPY STK USD ARCA (SPDR S&P 500 ETF TRUST): the broker answered with"),
        ("BATS", "gives it to BATS, where the broker does not list it"),
    ],
)
def test_f118_a_choice_that_is_no_such_fund_says_what_it_is_and_what_to_write(
    place: Workplace, open_gateway: OpenGateway, value: str, words: str
) -> None:
    open_gateway(two_of_one_ticker())
    write_models(place, "SPY", "EXUS")
    place.set("contracts", EXUS=value)
    for main, flags in commands(place):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.INPUT
        (error,) = done.errors
        assert words in error
        assert set(PASTED) <= set(done.err.splitlines())


def test_f118_a_choice_for_a_holding_is_judged_too(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(two_of_one_ticker(holding(OTHER, 100)))
    place.set("contracts", EXUS="900023")
    for main, flags in ((rebalance.main, ()), (snapshot.main, ())):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.INPUT
        (error,) = done.errors
        assert "[contracts] EXUS: [contracts] gives it conId 900023" in error
        assert set(PASTED[1:]) <= set(done.err.splitlines())


def test_f118_a_holding_of_the_other_contract_is_unlisted_and_sold_with_its_con_id(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(two_of_one_ticker(holding(OTHER, 100)))
    write_models(place, "SPY", "EXUS")
    place.set("contracts", EXUS=FIRST.con_id)
    shown = place.run().out
    assert "EXUS#900022*" in shown
    assert max(map(len, shown.splitlines())) <= 80
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err + done.out
    orders = [one for one in gateway.orders if one.symbol == "EXUS"]
    assert {(one.con_id, one.side) for one in orders} == {
        (FIRST.con_id, "BUY"),
        (OTHER.con_id, "SELL"),
    }
    (post,) = place.reports_named("rebalance_post_")
    with post.open(encoding="utf-8", newline="") as file:
        paid = {row["symbol"]: row["fill_price"] for row in csv.DictReader(file)}
    assert float(paid["EXUS"]) == pytest.approx(30, abs=0.1)
    assert float(paid["EXUS#900022"]) == pytest.approx(70, abs=0.1)
    assert place.run("--confirm", stdin="y\n").code == ExitCode.OK
    held = json.loads(place.run(main=snapshot.main).out)["positions"]
    assert [one["con_id"] for one in held if one["symbol"].startswith("EXUS")] == [FIRST.con_id]


def test_f118_both_contracts_of_a_ticker_may_be_held(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(two_of_one_ticker(holding(OTHER, 100), holding(FIRST, 40)))
    write_models(place, "SPY", "EXUS")
    place.set("contracts", EXUS=FIRST.con_id)
    prices = json.loads(place.run("--csv", str(place.csv), main=snapshot.main).out)["prices"]
    assert prices["EXUS"] == pytest.approx(30, abs=0.1)
    assert prices["EXUS#900022"] == pytest.approx(70, abs=0.1)
    place.set("rebalance", unlisted_positions="keep")
    document = json.loads(place.run("--json").out)
    assert "EXUS#900022" not in [one["symbol"] for one in document["drift"]]
    assert "EXUS" in [one["symbol"] for one in document["drift"]]


def test_f118_an_ambiguous_holding_in_no_model_names_the_line_that_lets_it_be_sold(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(two_of_one_ticker(holding(OTHER, 100)))
    done = place.run("--json")
    assert done.code == ExitCode.OK
    (warning,) = [one for one in json.loads(done.out)["warnings"] if "EXUS = 900022" in one]
    assert "below [contracts]" in warning
    place.set("contracts", EXUS=OTHER.con_id)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert [one.con_id for one in gateway.orders if one.symbol == "EXUS"] == [OTHER.con_id]


def test_f118_a_snapshot_with_both_contracts_is_planned_from_the_file(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(two_of_one_ticker(holding(OTHER, 100)))
    write_models(place, "SPY", "EXUS")
    place.set("contracts", EXUS=FIRST.con_id)
    taken = place.run("--csv", str(place.csv), main=snapshot.main)
    (place.path / "taken.json").write_text(taken.out, encoding="utf-8")
    plan = json.loads(place.run("--from-snapshot", "taken.json", "--json").out)
    sides = {one["symbol"]: one["side"] for one in plan["tickets"]}
    assert (sides["EXUS"], sides["EXUS#900022"]) == ("BUY", "SELL")


WORDS = ("TRUE", "NA", "ON", "ALL", "NAN", "NULL", "INF", "MAR", "SEP", "E")


def test_tickers_that_are_words_are_symbols_like_any_other(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    funds = [
        ContractSetup(con_id=910_000 + number, symbol=word, price=Decimal(50))
        for number, word in enumerate(WORDS)
    ]
    open_gateway(with_further(*funds))
    rows = [f"{word},10%,10%,10%" for word in WORDS]
    place.csv.write_text("\n".join(["ETF,SMURF,BADASS,GLTR", *rows, ""]), encoding="utf-8")
    done = place.run(str(place.csv), main=validate_portfolios.main)
    assert done.code == ExitCode.OK, done.err
    listed = [line.split()[0] for line in done.out.splitlines()[2:]]
    assert sorted(listed) == sorted(WORDS)


def test_a_mutual_fund_is_named_as_one(place: Workplace, open_gateway: OpenGateway) -> None:
    fund = ContractSetup(
        con_id=900_030, symbol="VTSAX", price=Decimal(100), sec_type="FUND", stock_type=""
    )
    open_gateway(with_further(fund))
    place.csv.write_text("ETF,SMURF,BADASS,GLTR\nVTSAX,100%,100%,100%\n", encoding="utf-8")
    for value in (None, 900_030):
        if value:
            place.set("contracts", VTSAX=value)
        done = place.run()
        assert done.code == ExitCode.INPUT
        (error,) = done.errors
        assert "VTSAX" in error
    assert "VTSAX FUND USD" in error


def test_f118_a_key_neither_listed_nor_held_is_a_warning(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(two_of_one_ticker(holding(OTHER, 100)))
    place.set("contracts", EXUS=OTHER.con_id, NOBODY="ARCA")
    done = place.run("--json")
    warnings = [one for one in json.loads(done.out)["warnings"] if "has no effect" in one]
    assert warnings == [
        "[contracts] NOBODY = ARCA has no effect: no model lists it and nothing of it is held"
    ]


def paste(config: Path, line: str) -> None:
    """Put a line below [contracts], as a person would."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[contracts]\n", f"[contracts]\n{line}\n"), encoding="utf-8")
