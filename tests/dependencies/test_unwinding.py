"""Clean-ups behind work: they run whatever happened, and what they leave counts."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from wscontrollers import Container
from wscontrollers.dependencies import Resolution
from wscontrollers.dependencies.unwinding import unwinding


class Failure(Exception):
    pass


def resolution(clean_up: Any = None) -> Resolution:
    found = Resolution(None, Container().graph.session())  # type: ignore[arg-type]
    if clean_up is not None:
        found.scope.stack.push_async_exit(clean_up)
    return found


async def failing() -> None:
    raise Failure


async def working() -> int:
    return 7


async def test_the_result_of_the_work() -> None:
    """Without a failure the work's result is had, behind its clean-ups; the scope is closed."""
    notes: list[Any] = []

    async def clean_up(kind: Any, error: Any, traceback: Any) -> None:
        notes.append(error)

    for found in (resolution(clean_up), resolution()):
        assert await unwinding(working(), found, None) == 7
        assert found.scope.closed
    assert notes == [None]


async def test_clean_ups_see_the_exception_and_may_swallow_it() -> None:
    """A clean-up that returns True ends the matter; one that returns nothing lets the exception go on as it was."""

    async def swallow(kind: Any, error: Any, traceback: Any) -> bool:
        return isinstance(error, Failure)

    async def look(kind: Any, error: Any, traceback: Any) -> None: ...

    assert await unwinding(failing(), resolution(swallow), None) is None
    for clean_up in (look, None):
        with pytest.raises(Failure):
            await unwinding(failing(), resolution(clean_up), None)


@pytest.mark.parametrize("work", [working, failing])
async def test_what_a_clean_up_raises_takes_the_place(work: Any) -> None:
    """An exception of a clean-up is raised in place of the result, or of what the work raised."""

    async def break_down(kind: Any, error: Any, traceback: Any) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await unwinding(work(), resolution(break_down), None)


async def test_the_shield_is_up_while_clean_ups_run() -> None:
    """Clean-ups of cancelled work run to their end behind the shield, and the cancellation goes on."""
    notes: list[str] = []

    async def slow(kind: Any, error: Any, traceback: Any) -> None:
        await anyio.lowlevel.checkpoint()
        notes.append("cleaned up")

    with anyio.CancelScope() as outer:
        with anyio.CancelScope() as shield:
            outer.cancel()
            await unwinding(anyio.sleep_forever(), resolution(slow), shield)
        notes.append("not reached")
    assert notes == ["cleaned up"]
