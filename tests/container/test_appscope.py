"""The running scope of an app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from wscontrollers.container.appscope import AppScope
from wscontrollers.container.cleanup import AsyncEnding, SyncEnding
from wscontrollers.container.exits import Entry
from wscontrollers.container.scopes import Tier


class Waiting(AsyncEnding):
    """A clean-up that is awaited."""

    async def takes(self, entered: Callable[[Any], None], error: BaseException | None) -> bool:
        await anyio.lowlevel.checkpoint()
        entered(error)
        return False


class Noting(SyncEnding):
    """One that is not."""

    def takes(self, entered: Callable[[Any], None], error: BaseException | None) -> bool:
        entered(error)
        return False


def noting(notes: list[Any], name: str) -> Entry:
    """A clean-up that notes what it sees."""
    return Noting(name), lambda error: notes.append((name, error))


def noting_later(notes: list[Any], name: str) -> Entry:
    """One that is awaited."""
    return Waiting(name), lambda error: notes.append((name, error))


@pytest.mark.anyio
async def test_clean_ups_run_in_reverse_and_see_what_ended_the_app() -> None:
    """Once; then the scope can be used again."""
    notes: list[Any] = []
    scope, error = AppScope(), ValueError()
    scope.stack.append(noting(notes, "first"))
    scope.stack.append(noting_later(notes, "second"))
    assert scope.has_stack
    assert await scope.close(error) is False
    assert notes == [("second", error), ("first", error)]
    assert not scope.has_stack
    scope.stack.append(noting(notes, "again"))
    await scope.close()
    assert notes[2:] == [("again", None)]


@pytest.mark.anyio
async def test_a_synchronous_end_leaves_what_is_awaited() -> None:
    """An override that ends in a `with` cannot await; the rest waits for `close`, still in reverse."""
    notes: list[Any] = []
    scope = AppScope()
    scope.stack.append(noting_later(notes, "1"))
    scope.stack.append(noting(notes, "2"))
    scope.stack.append(noting_later(notes, "3"))
    scope.stack.append(noting(notes, "4"))
    scope.close_sync()
    assert [name for name, _ in notes] == ["4", "2"]
    await scope.close()
    assert [name for name, _ in notes] == ["4", "2", "3", "1"]


@pytest.mark.anyio
async def test_what_is_no_exception_is_raised_behind_the_last_clean_up() -> None:
    """Ctrl-C in one of them does not keep the others open."""
    notes: list[Any] = []

    def interrupted(error: Any) -> None:
        raise KeyboardInterrupt

    scope = AppScope()
    scope.stack.append(noting(notes, "first"))
    scope.stack.append((Noting("interrupted"), interrupted))
    with pytest.raises(KeyboardInterrupt):
        await scope.close()
    assert [name for name, _ in notes] == ["first"]


@pytest.mark.anyio
async def test_a_synchronous_end_that_is_interrupted_ends_the_rest() -> None:
    """Ctrl-C in one clean-up does not keep the others open, and what is awaited still waits."""
    notes: list[Any] = []

    def interrupted(error: Any) -> None:
        raise KeyboardInterrupt

    scope = AppScope()
    scope.stack.extend([noting(notes, "1"), noting_later(notes, "2"), (Noting("3"), interrupted), noting_later(notes, "4")])
    with pytest.raises(KeyboardInterrupt):
        scope.close_sync()
    await scope.close()
    assert [name for name, _ in notes] == ["1", "4", "2"]


def test_there_is_one_list_of_clean_ups() -> None:
    """From the start: of several threads none is the first to ask for it."""
    scope = AppScope()
    assert scope.end() == []


@pytest.mark.anyio
async def test_what_is_forgotten_is_not_run() -> None:
    """Its event loop has ended, and with it what could be closed."""
    notes: list[Any] = []
    scope = AppScope()
    scope.stack.append(noting(notes, "first"))
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
