"""What members were handed without the engine, and what becomes of it when the engine brings it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Group, Groups, History, MemoryEngine, Published
from wscontrollers.groups.alone import Alone
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


def member(name: str) -> Any:
    return SimpleNamespace(life=SimpleNamespace(id=name))


ANN, BOB, EVE = (member(name) for name in ("ann", "bob", "eve"))


def test_what_was_handed_is_not_handed_again() -> None:
    """Once: the engine brings it once. What it brings of others, or what was not handed, is for all."""
    alone = Alone()
    alone.handed("1")
    assert alone.without("1", (ANN, BOB)) == ()
    for name in ("1", "2", None):
        assert alone.without(name, (ANN, BOB)) == (ANN, BOB)


def test_who_came_behind_it_has_it_from_the_engine() -> None:
    """And nothing of what was handed after he came; who left and is another session's member is one that came."""
    alone = Alone()
    alone.came(ANN.life.id)
    alone.handed("1")
    alone.came(BOB.life.id)
    alone.handed("2")
    alone.came(EVE.life.id)
    alone.left(EVE.life.id)
    assert alone.without("1", (ANN, BOB)) == (BOB,)
    alone.came(EVE.life.id)
    assert alone.without("2", (ANN, BOB, EVE)) == (EVE,)


def test_it_is_known_whether_a_publication_arrived() -> None:
    """Of one that arrived before the engine said so nothing is left to hand."""
    alone = Alone()
    alone.begin("1")
    alone.begin("2")
    assert alone.without("1", (ANN,)) == (ANN,)
    assert not alone.end("1")
    assert alone.end("2")
    assert not alone.end("2")


def test_what_is_remembered_is_bounded() -> None:
    """The oldest is forgotten."""
    alone = Alone(2)
    for name in "123":
        alone.handed(name)
    assert alone.without("1", (ANN,)) == (ANN,)
    assert alone.without("2", (ANN,)) == alone.without("3", (ANN,)) == ()


class Mute(MemoryEngine):
    """Takes what is published, or not, and says nothing of it if it is told so.

    Attributes:
        takes: Whether, and when: at once, or when the test calls `bring`.
    """

    takes = "and says so"

    def __init__(self) -> None:
        super().__init__()
        self.late: list[Any] = []

    def publish(self, channel: str, data: bytes, keep: Any) -> Any:
        if self.takes == "and says so" or not channel.startswith("g:"):
            return super().publish(channel, data, keep)
        if self.takes == "late":
            self.late.append((channel, data, keep))
        elif self.takes == "at once":
            _, connections = super().publish(channel, data, keep)
            for connection in connections:
                connection.deliver()
        raise EngineDownError("no answer")

    def bring(self) -> None:
        """Take what came."""
        self.takes = "and says so"
        for arguments in self.late:
            _, connections = self.publish(*arguments)
            for connection in connections:
                connection.deliver()


def serving(engine: MemoryEngine) -> App:
    app = App(groups=Groups(engine, [Group("tea", history=History(), sends=[Said])], delivers_alone=True))

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea")
        async for _ in session:
            pass

    return app


async def test_a_publication_that_was_taken_late_comes_once() -> None:
    """To those who have it not at all, to who came meanwhile once, and to other processes once; its place is settled."""
    engine = Mute()
    one, two = serving(engine), serving(engine)
    async with (
        AsyncTestClient(one) as here,
        AsyncTestClient(two) as there,
        here.connect("/") as ann,
        there.connect("/") as bob,
        AsyncExitStack() as stack,
    ):
        await ann.expect_nothing()
        await bob.expect_nothing()
        engine.takes = "late"
        assert await one.groups.publish("tea", Said(n=1)) == Published(1, 0)
        assert await ann.expect(Said) == Said(n=1)
        eve = await stack.enter_async_context(here.connect("/"))
        await eve.expect_nothing()
        engine.bring()
        for peer in (bob, eve):
            assert await peer.expect(Said) == Said(n=1)
        await ann.expect_nothing()
        assert (await one.groups.publish("tea", Said(n=2))).delivered == 2
        for peer in (ann, bob, eve):
            assert await peer.expect(Said) == Said(n=2)
        assert [kept.message for kept in await one.groups.history("tea")] == [Said(n=1), Said(n=2)]


async def test_a_publication_that_arrived_before_it_failed_comes_once() -> None:
    """The engine brought it, and did not say that it took it."""
    engine = Mute()
    app = serving(engine)
    async with AsyncTestClient(app) as client, client.connect("/") as ann:
        await ann.expect_nothing()
        engine.takes = "at once"
        assert await app.groups.publish("tea", Said(n=1)) == Published.on_its_way()
        assert await ann.expect(Said) == Said(n=1)
        await ann.expect_nothing()


async def test_a_publication_that_was_not_taken_is_heard_here() -> None:
    """And nowhere else; the same words again are another publication."""
    engine = Mute()
    app = serving(engine)
    async with AsyncTestClient(app) as client, client.connect("/") as ann:
        await ann.expect_nothing()
        engine.takes = "not"
        for _ in range(2):
            assert await app.groups.publish("tea", Said(n=1)) == Published(1, 0)
        engine.bring()
        await app.groups.publish("tea", Said(n=1))
        for _ in range(3):
            assert await ann.expect(Said) == Said(n=1)
        await ann.expect_nothing()
        assert await app.groups.publish("pot", Said(n=1)) == Published(0, 0)
