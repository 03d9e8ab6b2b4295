"""A handler's own part of a plan while it is being made."""

from typing import Any

import pytest

from wscontrollers.dependencies.drafts import MessageDraft
from wscontrollers.dependencies.invoking import invocation
from wscontrollers.dependencies.steps import CALL, Step


def step(slot: int, *reads: int) -> Step:
    return Step(CALL, slot, reads, lambda values: None, f"step {slot}")


def handled(message: Any) -> tuple[str, Any]:
    return "handled", message


ENDPOINT = invocation(handled, ["message"], [5])


def test_what_reads_the_message_belongs_to_it() -> None:
    """And so does what reads something that does, at any depth."""
    draft = MessageDraft(5, (str,))
    assert draft.is_read_by(step(6, 5))
    assert not draft.is_read_by(step(8, 6))
    draft.add(step(6, 5), cleans_up=False)
    assert draft.is_read_by(step(8, 1, 6))
    assert not draft.is_read_by(step(9, 1))


def test_the_plan_has_the_steps_in_their_order() -> None:
    """What is added last is done last."""
    draft = MessageDraft(5, (str,))
    first, second = step(6, 5), step(7, 6)
    draft.add(first, cleans_up=False)
    draft.add(second, cleans_up=False)
    assert draft.plan(ENDPOINT).steps == (first, second)


def test_the_handler_is_called_with_the_message() -> None:
    """Wherever in its parameters it stands."""
    call: Any = MessageDraft(5, (str,)).plan(ENDPOINT).quick(None)
    assert call([None] * 8, "hi") == ("handled", "hi")


@pytest.mark.parametrize(
    ("cleans_up", "opens", "expected"),
    [
        ([], False, (False, False)),
        ([False, False], False, (False, False)),
        ([], True, (True, False)),
        ([True, False], False, (True, True)),
    ],
)
def test_a_scope_is_opened_only_for_what_lives_in_it(cleans_up: list[bool], opens: bool, expected: tuple[bool, bool]) -> None:
    """Something message-scoped, or something that cleans up behind the message."""
    draft = MessageDraft(5, (str,))
    for slot, each in enumerate(cleans_up, start=6):
        draft.add(step(slot, 5), cleans_up=each)
    if opens:
        draft.open_scope()
    plan = draft.plan(ENDPOINT)
    assert (plan.opens_scope, plan.cleans_up) == expected
