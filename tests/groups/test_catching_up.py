"""What was missed, by a client that comes back and by a process whose engine was away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from wscontrollers import App, Limits, Message, MsgPackCodec, Session
from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups import Group, History, MemoryEngine
from wscontrollers.groups.engines.engine import Arrival, Page, Position
from wscontrollers.groups.engines.memory import MemoryConnection
from wscontrollers.groups.marks import Mark
from wscontrollers.messages import Gap, Recovered
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    n: int


def room(*, size: int = 100, **options: Any) -> App:
    app = App(groups=[Group("tea", history=History(size=size), sends=[Said])], **options)

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        joined = await session.join("tea")
        if joined.recovered is None:
            await session.send(Said(n=0))
        async for _ in session:
            pass

    return app


async def publish(app: App, *numbers: int) -> None:
    for number in numbers:
        await app.groups.publish("tea", Said(n=number))


async def marked(peer: Any) -> dict[str, Any]:
    return dict(json.loads(await peer.receive_text()))


async def test_a_client_that_comes_back_gets_what_it_missed() -> None:
    """`recovered` says that it is complete, then come the missed messages once and in order, then live ones."""
    app = room()
    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Said)
            await publish(app, 1, 2)
            await marked(peer)
            mark = (await marked(peer))["mark"]
        await publish(app, 3, 4)
        async with client.connect("/", params={"recover": mark}) as peer:
            recovered = await peer.expect(Recovered)
            assert (recovered.group, recovered.complete) == ("tea", True)
            frames = [await marked(peer), await marked(peer)]
            assert [frame["n"] for frame in frames] == [3, 4]
            assert frames[-1]["mark"] == recovered.mark
            await publish(app, 5)
            assert (await marked(peer))["n"] == 5


async def test_what_is_not_kept_any_more_is_told() -> None:
    """If the tail was trimmed, `recovered` is not complete and gives the current mark; nothing of the rest is sent."""
    app = room(size=2)
    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Said)
            await publish(app, 1)
            mark = (await marked(peer))["mark"]
        await publish(app, 2, 3, 4)
        async with client.connect("/", params={"recover": mark}) as peer:
            recovered = await peer.expect(Recovered)
            assert not recovered.complete
            assert recovered.mark is not None
            await peer.expect_nothing()
        await publish(app, 5)
        async with client.connect("/", params={"recover": recovered.mark}) as peer:
            assert (await peer.expect(Recovered)).complete
            assert (await marked(peer))["n"] == 5


async def test_a_mark_of_another_numbering_is_not_complete() -> None:
    """After the engine lost what it had, nothing that is kept can follow an old mark."""
    marks: list[str] = []
    for _ in range(2):
        app = room()
        async with AsyncTestClient(app) as client, client.connect("/", params={"recover": marks}) as peer:
            if marks:
                assert not (await peer.expect(Recovered)).complete
            else:
                await peer.expect(Said)
            await publish(app, 1)
            marks.append((await marked(peer))["mark"])


async def test_a_client_can_ask_while_it_is_there() -> None:
    """The frame `recover` does what the URL does; a mark of a group that the session is not in is refused."""
    app = room()
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 1, 2)
        mark = (await marked(peer))["mark"]
        await peer.expect(Said)
        await peer.send_json({"type": "recover", "marks": ["nonsense", mark, mark]})
        assert (await peer.expect(Recovered)).complete
        assert (await marked(peer))["n"] == 2
        await peer.expect_nothing()
        for marks in (["nonsense"], [str(Mark("elsewhere", Position("e", 1)))]):
            await peer.send_json({"type": "recover", "marks": marks})
            await peer.expect_error("forbidden")


async def test_a_group_is_caught_up_with_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks again meanwhile is answered when that is done, from its last mark: nobody works for nothing."""
    app = room()
    reads, go_on = 0, anyio.Event()
    read = MemoryConnection.read

    async def read_slowly(self: MemoryConnection, channel: str, after: Any = None, limit: Any = None) -> Page:
        nonlocal reads
        reads += 1
        await go_on.wait()
        return await read(self, channel, after, limit)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 1, 2)
        first, second = (await marked(peer))["mark"], (await marked(peer))["mark"]
        monkeypatch.setattr(MemoryConnection, "read", read_slowly)
        for mark in (first, first, second):
            await peer.send_json({"type": "recover", "marks": [mark]})
        await peer.expect_nothing()
        await publish(app, 3)
        go_on.set()
        assert (await peer.expect(Recovered)).complete
        assert [(await marked(peer))["n"] for _ in range(2)] == [2, 3]
        assert (await peer.expect(Recovered)).complete
        assert (await marked(peer))["n"] == 3
        await peer.expect_nothing()
    assert reads == 2


async def test_a_group_that_keeps_nothing_says_so() -> None:
    """A mark from when it did is answered, so that nobody waits for ever."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.join("tea")
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send_json({"type": "recover", "marks": [str(Mark("tea", Position("e", 1)))]})
        assert await peer.expect(Recovered) == Recovered("tea", complete=False)


async def test_marks_in_another_codec() -> None:
    """Each codec has the mark in its own frames."""
    app = room(codecs=[MsgPackCodec()])
    async with (
        AsyncTestClient(app) as client,
        client.connect("/", subprotocols=["wsc.v1+msgpack"]) as peer,
    ):
        await peer.expect(Said)
        await publish(app, 1)
        frame: Any = MsgPackCodec().load(await peer.receive_bytes())
        assert (frame["type"], frame["n"]) == ("said", 1)
        assert frame["mark"]


async def test_a_group_that_missed_something_fetches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in the numbers is filled from what is kept, and nobody sees that it was there."""
    engine = MemoryEngine()
    app = room(engine=engine)
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 1)
        await marked(peer)
        lost: list[Arrival] = []
        with monkeypatch.context() as patch:
            patch.setattr(app.groups._hub(), "arrived", lost.append)  # what the engine brings does not get through
            await publish(app, 2, 3)
        await publish(app, 4)
        assert len(lost) == 2
        assert [(await marked(peer))["n"] for _ in range(3)] == [2, 3, 4]


async def test_what_no_history_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a history the members get a `gap` with the number of messages."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.join("tea")
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        hub = app.groups._hub()
        lost: list[Arrival] = []
        with monkeypatch.context() as patch:
            patch.setattr(hub, "arrived", lost.append)
            await publish(app, 1, 2)
        await publish(app, 3)
        assert len(lost) == 2
        assert await peer.expect(Gap) == Gap(2, "engine", "tea")
        assert await peer.expect(Said) == Said(n=3)
        hub.resumed("g:tea", Position("another", 7))
        assert await peer.expect(Gap) == Gap(0, "engine", "tea")


async def test_what_arrives_while_a_client_catches_up_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is published before the history is read is in it, and one after it arrives: each comes once, in order."""
    app = room()
    read = MemoryConnection.read

    async def read_slowly(self: MemoryConnection, channel: str, after: Any = None, limit: Any = None) -> Page:
        await publish(app, 3)
        page = await read(self, channel, after, limit)
        await publish(app, 4)
        return page

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Said)
            await publish(app, 1)
            mark = (await marked(peer))["mark"]
        await publish(app, 2)
        with monkeypatch.context() as patch:
            patch.setattr(MemoryConnection, "read", read_slowly)
            async with client.connect("/", params={"recover": mark}) as peer:
                assert (await peer.expect(Recovered)).complete
                assert [(await marked(peer))["n"] for _ in range(3)] == [2, 3, 4]
                await peer.expect_nothing()


@contextmanager
def unheard(app: App) -> Iterator[None]:
    """What is published meanwhile does not get through to this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.groups._hub(), "arrived", lambda arrival: None)
        yield


async def numbers(peer: Any, count: int) -> list[int]:
    return [(await marked(peer))["n"] for _ in range(count)]


async def test_what_a_client_has_of_the_history_does_not_come_again_with_the_group() -> None:
    """A process that lags behind the history fetches what it missed; who came back has that already."""
    app = room()
    async with AsyncTestClient(app) as client, client.connect("/") as ann:
        await ann.expect(Said)
        await publish(app, 1)
        mark = (await marked(ann))["mark"]
        with unheard(app):
            await publish(app, 2, 3)
        async with client.connect("/", params={"recover": mark}) as bob:
            assert (await bob.expect(Recovered)).complete
            assert await numbers(bob, 2) == [2, 3]
            await publish(app, 4)
            assert await numbers(ann, 3) == [2, 3, 4]
            assert await numbers(bob, 1) == [4]
            await bob.expect_nothing()


async def test_a_group_fetches_no_more_than_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is behind that arrives by itself: read beyond it, it would come twice, or be told as lost although it was not."""
    app = room()
    reads: list[Page] = []
    read = MemoryConnection.read

    async def read_under_load(self: MemoryConnection, channel: str, after: Any = None, limit: Any = None) -> Page:
        if len(reads) == 2:
            return Page((), Position("e", 9), False)  # it was trimmed meanwhile
        reads.append(await read(self, channel, after, limit))
        await publish(app, 4 + len(reads))
        return reads[-1]

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 0)
        assert await numbers(peer, 1) == [0]
        with unheard(app):
            await publish(app, 1, 2, 3)
        monkeypatch.setattr("wscontrollers.groups.catching_up.PAGE", 2)
        monkeypatch.setattr(MemoryConnection, "read", read_under_load)
        await publish(app, 4)
        assert await numbers(peer, 6) == [1, 2, 3, 4, 5, 6]
        await peer.expect_nothing()


async def test_what_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An engine that refuses does not leave the group waiting for ever."""
    app = room()

    async def refuse(*arguments: Any) -> Page:
        raise EngineError("no permission")

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        with unheard(app):
            await publish(app, 1)
        monkeypatch.setattr(MemoryConnection, "read", refuse)
        await publish(app, 2)
        assert await peer.expect(Gap) == Gap(1, "trimmed", "tea")
        assert await numbers(peer, 1) == [2]
    assert "what it missed cannot be read" in caplog.text


async def test_an_engine_that_is_only_slow_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never was down, so it does not say that it is back; nobody has to publish for the others to hear what they missed."""
    app = room()
    read, failures = MemoryConnection.read, [EngineDownError("too slow"), EngineDownError("too slow")]

    async def read_late(self: MemoryConnection, *arguments: Any) -> Page:
        if failures:
            raise failures.pop()
        return await read(self, *arguments)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        with unheard(app):
            await publish(app, 1)
        monkeypatch.setattr("wscontrollers.groups.hearing.AGAIN", 0.0)
        monkeypatch.setattr(MemoryConnection, "read", read_late)
        await publish(app, 2)
        assert await numbers(peer, 2) == [1, 2]
        await peer.expect_nothing()


def kept_open(sessions: list[Session[Say, Said]], **options: Any) -> App:
    """An application that shows its sessions, which are in the group."""
    app = App(groups=[Group("tea", history=History(), sends=[Said])], **options)

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.join("tea")
        sessions.append(session)
        await session.send(Said(n=0))
        async for _ in session:
            pass

    return app


@contextmanager
def reading_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[anyio.Event, anyio.Event]]:
    """What is read of the history has to wait; the events say that it does, and end that."""
    read, begun, go_on = MemoryConnection.read, anyio.Event(), anyio.Event()

    async def read_slowly(self: MemoryConnection, channel: str, after: Any = None, limit: Any = None) -> Page:
        begun.set()
        await go_on.wait()
        return await read(self, channel, after, limit)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryConnection, "read", read_slowly)
        yield begun, go_on


async def test_who_left_hears_nothing_more_though_it_was_catching_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """To take a session out of a group is to end what it hears; that a recovery runs does not put it off."""
    sessions = list[Session[Say, Said]]()
    app = kept_open(sessions)
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 1)
        mark = (await marked(peer))["mark"]
        with reading_waits(monkeypatch) as (begun, go_on):
            await peer.send_json({"type": "recover", "marks": [mark]})
            await begun.wait()
            await peer.send_json({"type": "recover", "marks": [mark]})
            await peer.expect_nothing()
            await sessions[0].leave("tea")
            await publish(app, 2)
            go_on.set()
            await peer.expect_error("forbidden")  # the second one asked for a group that it is not in
            await peer.expect_nothing()


async def test_who_leaves_and_joins_anew_hears_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read for the one that left is not sent to the one that came."""
    sessions = list[Session[Say, Said]]()
    app = kept_open(sessions)
    monkeypatch.setattr("wscontrollers.groups.catching_up.PAGE", 1)
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        await publish(app, 1, 2)
        mark = (await marked(peer))["mark"]
        await marked(peer)
        with reading_waits(monkeypatch) as (begun, go_on):
            await peer.send_json({"type": "recover", "marks": [mark]})
            await begun.wait()
            await sessions[0].leave("tea")
            await sessions[0].join("tea")
            await publish(app, 3)
            go_on.set()
            assert await numbers(peer, 1) == [3]
            await peer.expect_nothing()


async def test_what_comes_meanwhile_is_read_out_of_the_history_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not wait in memory: a client that takes as much as comes is not closed for what came while it caught up."""
    app = room(limits=Limits(outbox=3))
    monkeypatch.setattr("wscontrollers.groups.member.WINDOW", 2)
    monkeypatch.setattr("wscontrollers.groups.catching_up.PAGE", 3)
    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Said)
            await publish(app, 1)
            mark = (await marked(peer))["mark"]
        with reading_waits(monkeypatch) as (begun, go_on):
            async with client.connect("/", params={"recover": mark}) as peer:
                await begun.wait()
                await publish(app, *range(2, 22))
                go_on.set()
                assert (await peer.expect(Recovered)).complete
                await publish(app, *range(22, 42))
                assert await numbers(peer, 40) == list(range(2, 42))
                await publish(app, 42)
                assert await numbers(peer, 1) == [42]
                await peer.expect_nothing()


async def test_what_came_meanwhile_and_is_not_kept_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and what follows goes on behind it."""
    app = room(size=4)
    monkeypatch.setattr("wscontrollers.groups.member.WINDOW", 2)
    monkeypatch.setattr("wscontrollers.groups.catching_up.PAGE", 1)
    read, reads = MemoryConnection.read, 0

    async def read_under_load(self: MemoryConnection, channel: str, after: Any = None, limit: Any = None) -> Page:
        nonlocal reads
        page = await read(self, channel, after, limit)
        reads += 1
        if reads == 1:
            await publish(app, *range(4, 12))
        return page

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Said)
            await publish(app, 1)
            mark = (await marked(peer))["mark"]
        await publish(app, 2, 3)
        monkeypatch.setattr(MemoryConnection, "read", read_under_load)
        async with client.connect("/", params={"recover": mark}) as peer:
            assert (await peer.expect(Recovered)).complete
            assert await numbers(peer, 1) == [2]
            assert await peer.expect(Gap) == Gap(0, "trimmed", "tea")
            assert await numbers(peer, 2) == [10, 11]
            await publish(app, 12)
            assert await numbers(peer, 1) == [12]
            await peer.expect_nothing()
