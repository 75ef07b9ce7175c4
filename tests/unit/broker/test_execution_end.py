"""An interrupt that arrives as the last order ends does not cost the run its result."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

from src.broker import execution
from src.broker.execution import execute
from src.core.orders.state import Place, PlaceRefused
from src.core.running.parts import Run
from src.core.running.sends import plan_attempt
from src.core.running.words import Placed, RunEvent
from tests.kits.execution_kit import Stage, run_of, sell
from tests.kits.fakes import run_virtual

if TYPE_CHECKING:
    import pytest

RESULT = run_of(Stage(tickets=(sell("AAA"),)))


def interrupted_at_the_end(monkeypatch: pytest.MonkeyPatch, *, has_result: bool) -> Run | None:
    """Cancel the awaiting task in the very turn in which the work ends; None: cancelled."""
    waiting: list[asyncio.Future[Run]] = []

    class Work:
        def __init__(self, *_: object) -> None: ...

        async def carry_out(self) -> Run:
            await asyncio.sleep(0)
            waiting[0].cancel()
            if not has_result:
                raise asyncio.CancelledError
            return RESULT

    async def main() -> Run | None:
        run = SimpleNamespace(stop=asyncio.Event())
        task = asyncio.ensure_future(execute(run, None))  # type: ignore[arg-type]
        waiting.append(task)
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    monkeypatch.setattr(execution, "_Execution", Work)
    return asyncio.run(main())


def test_the_loop_lets_no_order_leave_without_a_commit_before_it() -> None:
    """The machine always commits first; a fault in it must not send an order without a record."""
    stage = Stage(tickets=(sell("AAA"),))
    order = plan_attempt(run_of(stage), run_of(stage).ticket(1), 1)

    async def main() -> list[RunEvent]:
        work = execution._Execution(stage.run(), stage.desk)
        return await work._carry_out([Place(request=order.request)])

    (told,) = run_virtual(main())
    assert isinstance(told, Placed)
    assert isinstance(told.how, PlaceRefused)
    assert stage.desk.wire == []


def test_the_result_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted_at_the_end(monkeypatch, has_result=True) == RESULT


def test_cancelled_work_has_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted_at_the_end(monkeypatch, has_result=False) is None
