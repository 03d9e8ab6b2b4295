"""The hubs of one `Groups`."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import anyio
import anyio.to_thread
import pytest

from wscontrollers.groups import EngineState, MemoryEngine
from wscontrollers.groups.hub import Hub
from wscontrollers.groups.hubs import Hubs


def made() -> Hubs:
    return Hubs(MemoryEngine(), lambda group: None, 15.0)


async def test_an_event_loop_has_one_hub() -> None:
    """Whoever asks for it; that of other groups, and of other loops, is another."""
    hubs, others = made(), made()
    here = hubs.here()

    async def elsewhere() -> Hub:
        assert hubs.here() is hubs.here()
        return hubs.here()

    assert hubs.here() is here
    assert others.here() is not here
    assert await anyio.to_thread.run_sync(anyio.run, elsewhere) is not here
    assert hubs.here() is here


async def test_a_hub_ends_with_its_groups() -> None:
    """The event loop keeps none of groups that are gone."""
    left = weakref.ref(made().here())
    gc.collect()
    assert left() is None


def test_a_hub_ends_with_its_event_loop() -> None:
    """The groups keep none of a loop that is gone, and have another one in the next."""
    hubs = made()

    async def ask() -> weakref.ref[Hub]:
        return weakref.ref(hubs.here())

    left = asyncio.run(ask())
    gc.collect()
    assert left() is None
    asyncio.run(ask())


async def test_every_state_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Good news as an info, anything else as a warning; a hook that fails keeps nothing from the others."""
    hubs, seen = made(), list[EngineState]()

    def failing(state: EngineState) -> None:
        raise ValueError(state)

    hubs.hooks += [failing, seen.append]
    with caplog.at_level(logging.INFO, "wscontrollers.groups"):
        hubs.here().changed(EngineState.DOWN, "gone")
        hubs.here().changed(EngineState.UP, "back")
    assert seen == [EngineState.DOWN, EngineState.UP]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "engine memory is down: gone"),
        ("ERROR", "engine memory: a hook for its state failed"),
        ("INFO", "engine memory is up: back"),
        ("ERROR", "engine memory: a hook for its state failed"),
    ]
