"""A listener that notes what it is told, and waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio

from wscontrollers.groups.engines.engine import Arrival, Connection, Engine, EngineState, Position

PATIENCE = 10.0
"""Seconds after which what did not come will not come."""


class Heard:
    """Notes what an engine's connection tells.

    Attributes:
        arrivals: All messages, in their order.
        resumptions: Channel and position of each subscription that is there again.
        states: Each new state with its reason.
    """

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.resumptions: list[tuple[str, Position]] = []
        self.states: list[tuple[EngineState, str]] = []
        self._news = anyio.Event()

    def arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        self._news.set()

    def resumed(self, channel: str, position: Position) -> None:
        self.resumptions.append((channel, position))
        self._news.set()

    def changed(self, state: EngineState, reason: str) -> None:
        self.states.append((state, reason))
        self._news.set()

    def of(self, channel: str, after: Position | None = None) -> list[Arrival]:
        """What arrived of a channel, behind a position."""
        found = [arrival for arrival in self.arrivals if arrival.channel == channel]
        if after is not None:
            found = [each for each in found if each.position.epoch != after.epoch or each.position.offset > after.offset]
        return found

    def data(self, channel: str) -> list[bytes]:
        """What was published to a channel, as far as it arrived."""
        return [arrival.data for arrival in self.of(channel)]

    async def until(self, holds: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until something holds."""
        with anyio.move_on_after(seconds):
            while not holds():
                if self._news.is_set():  # several may wait for it
                    self._news = anyio.Event()
                await self._news.wait()
        assert holds(), f"not within {seconds} s: {len(self.arrivals)} arrivals, {self.resumptions[-3:]}, {self.states}"

    async def until_state(self, state: EngineState, seconds: float = PATIENCE) -> None:
        """Wait until the last thing that was told of the state is this."""
        await self.until(lambda: self.states and self.states[-1][0] is state, seconds)


async def eventually(holds: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again: nobody tells when time has passed, or what a server thinks."""
    with anyio.fail_after(PATIENCE):
        while not await holds():  # noqa: ASYNC110
            await anyio.sleep(0.01)  # there is no event for it


class Opened(NamedTuple):
    """A connection and what it tells."""

    connection: Connection
    heard: Heard


@asynccontextmanager
async def connected(engine: Engine) -> AsyncIterator[Opened]:
    """Connect to an engine."""
    heard = Heard()
    async with engine.connect(heard) as connection:
        yield Opened(connection, heard)
