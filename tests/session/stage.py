"""An application whose handlers do, step by step, what a test tells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from anyio import create_memory_object_stream

from tests.session.model import BAD_IN_A_ROW, CLOSED_BY_HANDLER, LIMITS, Outcome
from wscontrollers import (
    App,
    Controller,
    Depends,
    Limits,
    Message,
    RequestRefusedError,
    Session,
    WebSocketDisconnect,
    WebSocketException,
    per,
    receive,
    websocket,
)


class Do(Message):
    id: int


class Count(Do): ...


class Work(Do): ...


class Newest(Do): ...


class Feed(Do): ...


class Turn(Do):
    room: str


class Done(Message):
    id: int


class Item(Message):
    id: int
    n: int


class Pushed(Message):
    n: int


class Question(Message):
    n: int


class Answer(Message):
    n: int


class RoomFull(Exception): ...


class Broken(Exception): ...


class Stage:
    """What the handlers of a session do, step by step as they are told, and what is left of them."""

    def __init__(self) -> None:
        self.session: Any = None
        self.active: set[int] = set()
        self.entered: dict[int, int] = defaultdict(int)
        self.left: dict[int, int] = defaultdict(int)
        self.cleaned: dict[int, int] = defaultdict(int)
        self.ended: list[tuple[str, int]] = []
        self.closed_resources = 0
        self.outcomes: dict[int, str] = {}
        self._steps = defaultdict[int, Any](lambda: create_memory_object_stream[Outcome](100))

    def reset(self) -> None:
        """Forget an ended session."""
        for counts in (self.entered, self.left, self.cleaned):
            counts.clear()
        self.ended.clear()
        self.closed_resources = 0

    def tell(self, job: int, outcome: Outcome) -> None:
        self._steps[job][0].send_nowait(outcome)

    async def play(self, job: int) -> AsyncGenerator[int]:
        """Yield an item whenever told so, and end as told."""
        self.active.add(job)
        self.entered[job] += 1
        items = 0
        send, receive = self._steps[job]
        try:
            while (outcome := await receive.receive()) == "item":
                yield items
                items += 1
            if outcome == "declared":
                raise RoomFull("no chair is free")
            if outcome == "bug":
                raise Broken("a secret")
            if outcome == "close":
                raise WebSocketException(CLOSED_BY_HANDLER)
            self.outcomes[job] = outcome
        finally:
            send.close()
            receive.close()
            self.active.remove(job)
            self.left[job] += 1

    async def answer(self, job: int) -> Done | None:
        async for _ in self.play(job):
            raise AssertionError("no stream")
        return Done(id=job) if self.outcomes.pop(job) == "reply" else None

    async def ask(self, n: int) -> None:
        """Ask the client, and note what came of it."""
        try:
            answer = await self.session.request(Question(n=n), reply=Answer, timeout=None)
            self.outcomes[n] = f"answer {answer.n}"
        except RequestRefusedError as refused:
            self.outcomes[n] = refused.code
        except WebSocketDisconnect:
            self.outcomes[n] = "departed"

    async def fail(self) -> None:
        raise Broken("a task failed")


def app_on(stage: Stage) -> App:
    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            stage.closed_resources += 1

    async def unit(message: Do | Count | Work | Newest | Feed | Turn) -> AsyncIterator[None]:
        try:
            yield
        finally:
            stage.cleaned[message.id] += 1

    guards = [Depends(unit)]

    class Every(Controller):
        limits = Limits(rate=None, bad_frames=None, bad_frames_in_a_row=BAD_IN_A_ROW, inbox=1_000, grace=5)
        sends = (Pushed, Question)

        @websocket("/", dependencies=[Depends(resource)])
        async def open(self, session: Session) -> AsyncIterator[None]:
            stage.session = session
            try:
                yield
            finally:
                assert session.ended is not None
                stage.ended.append((session.ended.by, session.ended.code))

        @receive(raises=[RoomFull], dependencies=guards)
        async def do(self, message: Do) -> Done | None:
            return await stage.answer(message.id)

        @receive(raises=[RoomFull], dependencies=guards, order="concurrent", limit=LIMITS["work"])
        async def work(self, message: Work) -> Done | None:
            return await stage.answer(message.id)

        @receive(raises=[RoomFull], dependencies=guards, order="latest")
        async def newest(self, message: Newest) -> Done | None:
            return await stage.answer(message.id)

        @receive(raises=[RoomFull], dependencies=guards, order=per("room"), limit=LIMITS["turn"])
        async def turn(self, message: Turn) -> Done | None:
            return await stage.answer(message.id)

        @receive(raises=[RoomFull], dependencies=guards)
        async def count(self, message: Count) -> AsyncIterator[Item]:
            async for n in stage.play(message.id):
                yield Item(id=message.id, n=n)

        @receive(raises=[RoomFull], dependencies=guards, order="concurrent", limit=LIMITS["feed"])
        async def feed(self, message: Feed) -> AsyncIterator[Item]:
            async for n in stage.play(message.id):
                yield Item(id=message.id, n=n)

    return App(controllers=[Every])
