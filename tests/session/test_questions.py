"""What a server asked its client."""

from __future__ import annotations

from typing import Any

from wscontrollers.session.questions import UNANSWERED, Questions


def read(frame: object) -> Any:
    raise AssertionError(frame)


def test_each_question_has_a_reference_of_its_own_while_it_waits() -> None:
    """An answer finds its question by its reference, until the question has ended."""
    questions = Questions()
    assert questions.get(1) is None
    with questions.asked(read) as first, questions.asked(read) as second:
        assert first.ref != second.ref
        assert questions.get(second.ref) is second
        assert questions.get(None) is None
        ref = first.ref
    assert questions.get(ref) is None


def test_the_end_is_told_to_all_who_wait() -> None:
    """They are woken without an answer; None may be one, and is none of these."""
    questions = Questions()
    questions.end()
    with questions.asked(read) as question:
        questions.end()
        assert question.answered.is_set()
        assert question.answer is UNANSWERED


def test_each_question_is_one_for_one_reply() -> None:
    """Also for a late one, and for a heartbeat, which nobody waits for."""
    questions = Questions()
    assert not questions.owes()
    with questions.asked(read):
        questions.reference()
    assert [questions.owes() for _ in range(3)] == [True, True, False]
