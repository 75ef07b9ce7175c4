"""Order ids as other programs leave them: numbered by the second since 1970, or nearly used up."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.base.settings import ExecutionSettings
from src.core.orders.ids import MAX_ORDER_ID
from src.simulator.scenario.records import GatewaySettings, OrderBehaviour, Rejection
from tests.kits.trading_kit import Desk, Line, Trading, market, rule, trade

SELLS: list[Line] = [("SELL", "AAA", 10), ("SELL", "BBB", 10)]
ADAPTIVE = Desk(execution=ExecutionSettings(algo_preference="adaptive"))
REFUSED = OrderBehaviour(reject=Rejection(code=442, text="Algorithmus nicht erlaubt"))


def placed_ids(done: Trading) -> list[int]:
    return [int(fields[1]) for name, fields in done.wire if name == "PlaceOrder"]


@pytest.mark.parametrize("first_id", [1_700_000_001, 1_000_000_001, 1_000_000_000, 999_999_999])
def test_a_refusal_of_an_order_with_a_huge_id_is_heard(first_id: int, tmp_path: Path) -> None:
    gateway = GatewaySettings(first_order_id=first_id)
    setting = market(rule(REFUSED, "AAA", algos=("Adaptive",)), gateway=gateway)
    done = trade(setting, SELLS, tmp_path, ADAPTIVE)
    assert done.statuses == ["Filled", "Filled"]
    assert done.sent("PlaceOrder") == 3
    assert min(placed_ids(done)) >= first_id


def test_request_ids_are_never_order_ids(tmp_path: Path) -> None:
    setting = market(gateway=GatewaySettings(first_order_id=1_000_000_002))
    done = trade(setting, SELLS, tmp_path)
    asked = {int(fields[2]) for name, fields in done.wire if name == "ReqContractDetails"}
    assert asked
    assert not asked & set(placed_ids(done))


def test_used_up_order_ids_stop_the_sending_and_name_the_remedy(tmp_path: Path) -> None:
    setting = market(gateway=GatewaySettings(first_order_id=MAX_ORDER_ID))
    done = trade(setting, SELLS, tmp_path)
    assert done.statuses == ["Filled", "Skipped"]
    assert "Reset API order ID sequence" in done.result.outcomes[1].error
    assert placed_ids(done) == [MAX_ORDER_ID]
