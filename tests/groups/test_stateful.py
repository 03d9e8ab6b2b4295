"""History and recovery against a model: a client sees everything once and in order, or is told that it did not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from hypothesis import given, settings
from hypothesis import strategies as st

from wscontrollers import App, Message, Session
from wscontrollers.groups import Group, History, MemoryEngine
from wscontrollers.groups.engines.engine import Arrival, Connection, EngineState, Listener, Position
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


class Welcome(Message):
    since: str


class ShakyEngine(MemoryEngine):
    """A memory engine whose line to its listener can be cut: what is published meanwhile is kept, and does not arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.is_cut = False
        self.listener: Listener | None = None
        self.positions: dict[str, Position] = {}

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        self.listener = listener
        async with super().connect(self) as connection:
            yield connection

    def arrived(self, arrival: Arrival) -> None:
        self.positions[arrival.channel] = arrival.position
        if not self.is_cut and self.listener is not None:
            self.listener.arrived(arrival)

    def resumed(self, channel: str, position: Position) -> None: ...

    def changed(self, state: EngineState, reason: str) -> None: ...

    def mend(self) -> None:
        """Be there again, as an engine is that reconnects: it says where each channel stands."""
        if self.is_cut and self.listener is not None:
            self.is_cut = False
            for channel, position in self.positions.items():
                self.listener.resumed(channel, position)


class Client:
    """A client that does as the reference says: it keeps the last mark, and comes back with it."""

    def __init__(self, client: AsyncTestClient, tasks: TaskGroup) -> None:
        self._client = client
        self._tasks = tasks
        self._leaving: anyio.Event | None = None
        self._peer: Any = None
        self._mark: str | None = None
        self._last = 0
        self._knows_of_a_gap = True  # it has nothing before its first mark

    async def come(self) -> None:
        if self._leaving is None:
            self._leaving = anyio.Event()
            await self._tasks.start(self._stay, self._leaving)

    async def go(self) -> None:
        if self._leaving is not None:
            await self.read()
            self._leaving.set()
            self._leaving = None

    async def _stay(self, leaving: anyio.Event, *, task_status: TaskStatus[None]) -> None:
        params = {} if self._mark is None else {"recover": self._mark}
        async with self._client.connect("/", params=params, allow_leftovers=True) as self._peer:
            task_status.started()
            await leaving.wait()

    async def read(self) -> None:
        """Read what is there, up to an answer to a question that comes behind it."""
        if self._leaving is None:
            return
        await self._peer.send_json({"type": "said", "n": 0, "ref": 1})
        while True:
            frame = json.loads(await self._peer.receive_text())
            if frame["type"] == "ok":
                return
            self._see(frame)

    def _see(self, frame: dict[str, Any]) -> None:
        self._mark = frame.get("mark") or frame.get("since") or self._mark
        if frame["type"] in ("welcome", "gap") or (frame["type"] == "recovered" and not frame["complete"]):
            self._knows_of_a_gap = True
        elif frame["type"] == "said":
            assert frame["n"] == self._last + 1 or (self._knows_of_a_gap and frame["n"] > self._last)
            self._last, self._knows_of_a_gap = frame["n"], False


def serving(engine: MemoryEngine, kept: int) -> App:
    app = App(engine=engine, groups=[Group("tea", history=History(size=kept, age=None), sends=[Said])])

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said | Welcome]) -> None:
        joined = await session.join("tea")
        if joined.recovered is None and joined.mark is not None:
            await session.send(Welcome(since=joined.mark))
        async for message in session:
            await session.reply(message, None)  # type: ignore[arg-type]

    return app


STEPS = st.sampled_from(
    ["publish"] * 5 + ["come 0", "come 1", "go 0", "go 1", "read 0", "read 1", "cut", "mend", "mend", "burst"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(1, 6))
def test_nothing_is_lost_unnoticed(steps: Sequence[str], kept: int) -> None:
    """Clients come and go, the engine's line is cut and mended, history is trimmed: order, no duplicates, no unnoticed loss."""
    anyio.run(follow, steps, kept)


async def follow(steps: Sequence[str], kept: int) -> None:
    engine = ShakyEngine()
    app = serving(engine, kept)
    published = 0
    async with AsyncTestClient(app) as client, anyio.create_task_group() as tasks:
        clients = [Client(client, tasks), Client(client, tasks)]
        for step in [*steps, "mend", "publish", "read 0", "read 1", "go 0", "go 1"]:
            verb, _, number = step.partition(" ")
            if verb in ("publish", "burst"):
                for _ in range(1 if verb == "publish" else 4):
                    published += 1
                    await app.groups.publish("tea", Said(n=published))
            elif verb == "cut":
                engine.is_cut = True
            elif verb == "mend":
                engine.mend()
            else:
                await getattr(clients[int(number)], verb)()
