"""When the broker is asked for everything it knows: for orders in doubt, one question at a time."""

from __future__ import annotations

from dataclasses import replace

from src.core.running.moves import emit
from src.core.running.parts import Run
from src.core.running.words import Call


def doubt(run: Run, order_ref: str) -> Run:
    """Ask about this order, with a question that starts after now."""
    asked = tuple(ref for ref in run.question.asked if ref != order_ref)
    doubted = tuple(dict.fromkeys((*run.question.doubted, order_ref)))
    return run._replace(question=replace(run.question, doubted=doubted, asked=asked))


def want_answer(run: Run, *, with_account: bool = False) -> Run:
    """Ask once more although no order is in doubt: executions may have been missed."""
    with_account = with_account or run.question.wants_account
    question = replace(run.question, is_wanted=True, wants_account=with_account)
    return run._replace(question=question)


def ask_if_due(run: Run) -> Run:
    """Ask now, unless a question is under way or there is no reason to."""
    question = run.question
    is_wanted = question.is_wanted or question.doubted
    if question.is_under_way or not (is_wanted and run.link.is_usable):
        return run
    asked = replace(
        question,
        asked=question.doubted,
        doubted=(),
        is_wanted=False,
        wants_account=False,
        is_under_way=True,
        includes_account=question.wants_account,
    )
    call = Call.ASK_WITH_ACCOUNT if question.wants_account else Call.ASK
    return emit(run._replace(question=asked), call)


def drop_question(run: Run) -> Run:
    """Forget the question under way: the connection it went out on is gone."""
    question = run.question
    if not question.is_under_way:
        return run
    doubted = tuple(dict.fromkeys((*question.asked, *question.doubted)))
    dropped = replace(
        question, asked=(), doubted=doubted, is_under_way=False, includes_account=False
    )
    return emit(run._replace(question=dropped), Call.DROP_QUESTION)
