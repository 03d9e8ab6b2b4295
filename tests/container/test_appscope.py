"""The running scope of an app."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from wscontrollers.container.appscope import AppScope, is_cancellation
from wscontrollers.container.scopes import Tier


def noting(notes: list[Any], name: str) -> Any:
    """A clean-up."""

    def leave(_: Any, error: BaseException | None, _traceback: Any) -> bool:
        notes.append((name, error))
        return False

    return leave


def noting_later(notes: list[Any], name: str) -> Any:
    """One that is awaited."""

    async def leave(_: Any, error: BaseException | None, _traceback: Any) -> bool:
        await anyio.lowlevel.checkpoint()
        notes.append((name, error))
        return False

    return leave


@pytest.mark.anyio
async def test_clean_ups_run_in_reverse_and_see_what_ended_the_app() -> None:
    """Once; then the scope can be used again."""
    notes: list[Any] = []
    scope, error = AppScope(), ValueError()
    scope.push(noting(notes, "first"))
    scope.push_async(noting_later(notes, "second"))
    assert scope.has_stack
    assert await scope.close(error) is False
    assert notes == [("second", error), ("first", error)]
    assert not scope.has_stack
    scope.push(noting(notes, "again"))
    await scope.close()
    assert notes[2:] == [("again", None)]


@pytest.mark.anyio
async def test_a_synchronous_end_leaves_what_is_awaited() -> None:
    """An override that ends in a `with` cannot await; the rest waits for `close`, still in reverse."""
    notes: list[Any] = []
    scope = AppScope()
    scope.push_async(noting_later(notes, "1"))
    scope.push(noting(notes, "2"))
    scope.push_async(noting_later(notes, "3"))
    scope.push(noting(notes, "4"))
    scope.close_sync()
    assert [name for name, _ in notes] == ["4", "2"]
    await scope.close()
    assert [name for name, _ in notes] == ["4", "2", "3", "1"]


@pytest.mark.anyio
async def test_what_is_no_exception_is_raised_behind_the_last_clean_up() -> None:
    """Ctrl-C in one of them does not keep the others open."""
    notes: list[Any] = []

    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    scope = AppScope()
    scope.push(noting(notes, "first"))
    scope.push(interrupted)
    with pytest.raises(KeyboardInterrupt):
        await scope.close()
    assert [name for name, _ in notes] == ["first"]


@pytest.mark.anyio
async def test_what_is_forgotten_is_not_run() -> None:
    """Its event loop has ended, and with it what could be closed."""
    notes: list[Any] = []
    scope = AppScope()
    scope.push(noting(notes, "first"))
    scope.forget()
    await scope.close()
    assert notes == []


def test_an_app_has_neither_session_nor_message() -> None:
    """It is above both."""
    scope = AppScope()
    assert scope.session is None
    assert scope.tier is Tier.APP
    with pytest.raises(TypeError, match=r"a message belongs to a session\. Fix: make the session's scope"):
        scope.message()


@pytest.mark.anyio
async def test_a_cancellation_is_told_from_an_error() -> None:
    """It is another class in each event loop."""
    seen: list[BaseException] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.lowlevel.checkpoint()
        except BaseException as error:
            seen.append(error)
            raise
    assert [is_cancellation(error) for error in seen] == [True]
    assert not is_cancellation(ValueError())


def test_outside_of_an_event_loop_nothing_is_a_cancellation() -> None:
    """Whatever is raised there."""
    assert not is_cancellation(KeyboardInterrupt())
