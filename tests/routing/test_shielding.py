"""When the scope that shields clean-ups is entered."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from types import ModuleType

import anyio
import pytest

from wscontrollers.routing.shielding import unwinding_scope


async def test_below_a_scope_there_is_a_shield() -> None:
    """Inside of a cancel scope, clean-ups have to be shielded from it."""
    with anyio.CancelScope():  # noqa: ASYNC100 - that there is a scope is what it is about
        assert isinstance(unwinding_scope(), anyio.CancelScope)


def test_in_a_task_of_the_server_there_is_none() -> None:
    """A task without a cancel scope around it is cancelled once at most: there is nothing to shield from."""

    async def session() -> bool:
        return isinstance(unwinding_scope(), nullcontext)

    assert asyncio.run(session())


def test_on_trio_there_always_is_one() -> None:
    """Every task of trio has a scope around it."""
    trio = pytest.importorskip("trio")

    async def session() -> bool:
        return isinstance(unwinding_scope(), anyio.CancelScope)

    assert trio.run(session)


def test_an_unknown_anyio_is_taken_as_a_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where anyio does not show the states of its tasks, the shield is put up always."""

    async def session() -> bool:
        return isinstance(unwinding_scope(), anyio.CancelScope)

    monkeypatch.setitem(sys.modules, "anyio._backends._asyncio", ModuleType("another"))
    assert asyncio.run(session())


def test_clean_ups_that_wait_run_to_their_end_when_the_task_is_cancelled() -> None:
    """Without a scope around it, a cancelled session runs its clean-ups to their end, too."""
    notes: list[str] = []

    async def session() -> None:
        with unwinding_scope():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                notes.append("cleaned up")

    async def main() -> None:
        task = asyncio.create_task(session())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert notes == ["cleaned up"]
