"""The time of the sessions under test."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.testing.lines import every_line
from wscontrollers.session.clock import Clock, clock_of
from wscontrollers.session.watch import watch_of
from wscontrollers.testing import AsyncTestClient, VirtualClock

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]


class Idle:
    """Something with a limit of time, as a session has it: what is looked after by the watch of its clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.due = clock.now() + seconds
        self.over = anyio.Event()

    def glance(self) -> None: ...

    def inspect(self, now: float) -> None:
        if now >= self.due:
            self.over.set()

    def failed(self, error: Exception) -> None:
        raise error


@every_line
async def test_sessions_live_by_the_clients_clock(async_client_of: Clients) -> None:
    """Time passes when the test says so, and not else; what falls due has happened when `advance` returns."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        idle = Idle(clock_of(websocket.scope), 30)
        watch = watch_of(idle.clock)
        watch.add(idle)
        await idle.over.wait()
        watch.remove(idle)
        await websocket.close(1001, "idle")

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await client.clock.advance(29.5)
        await session.expect_nothing()
        await client.clock.advance(0.5)
        assert await session.expect_closed(1001) == "idle"


async def test_what_falls_due_happens_in_its_order() -> None:
    """A long time is passed in steps, each with rest behind it."""
    clock = VirtualClock()
    start = clock.now()
    seen: list[float] = []
    watch = watch_of(clock)

    async def wait(seconds: float) -> None:
        idle = Idle(clock, seconds)
        watch.add(idle)
        await idle.over.wait()
        seen.append(clock.now() - start)
        watch.remove(idle)

    async with anyio.create_task_group() as tasks:
        for seconds in (30, 10, 20):
            tasks.start_soon(wait, seconds)
        await clock.advance(60)

    assert seen == [10, 20, 30]
    assert clock.now() - start == 60


async def test_time_does_not_go_backwards() -> None:
    """The error says so."""
    with pytest.raises(ValueError, match=r"advance\(-1\): time does not go backwards"):
        await VirtualClock().advance(-1)
