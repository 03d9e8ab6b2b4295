"""Messages of groups behind a real server: to its transports and through its `send`, mixed with frames of sessions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.integration.bare import ServerLoop, handshake, reset
from tests.serving import serving
from wscontrollers import App, Groups, Limits, Message, Session
from wscontrollers.groups import sweep
from wscontrollers.session.direct import DirectWriter, write_to_each
from wscontrollers.session.loops import running_loop
from wscontrollers.session.session import life_of

KIB = 1024
EMPTY = len('{"type":"said","n":0000,"by":"groups","text":""}')
SIZES = [125, 126, 65_535, 65_536, 200]
"""Bytes of frames: those around the sizes at which the header is another one, and an ordinary one."""


class Go(Message):
    count: int


class Said(Message):
    n: int
    by: str
    text: str


def said(n: int, by: str) -> Said:
    return Said(n=n, by=by, text="x" * (SIZES[n % len(SIZES)] - EMPTY))


@pytest.fixture(params=["websockets-sansio", "wsproto"])
def ws(request: pytest.FixtureRequest) -> str:
    """Both WebSocket implementations of uvicorn that are not deprecated."""
    implementation: str = request.param
    return implementation


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each frame that was tried was written to a transport."""
    tried: list[bool] = []
    write = DirectWriter.write

    def noted(self: DirectWriter, packet: bytes) -> bool:
        tried.append(write(self, packet))
        return tried[-1]

    def noted_each(addressees: Iterator[Any], packet: bytes) -> Iterator[Any]:
        asked: list[Any] = []
        refused = 0
        for each in write_to_each((asked.append(each) or each for each in addressees), packet):  # type: ignore[func-returns-value]
            refused += 1
            tried.append(False)
            yield each
        tried.extend([True] * (len(asked) - refused))

    monkeypatch.setattr(DirectWriter, "write", noted)
    monkeypatch.setattr(sweep, "write_to_each", noted_each)
    return tried  # type: ignore[return-value]


def texts(session: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(session.recv(10)) for _ in range(count)]


class Noted:
    """The sessions that joined, and those that ended."""

    def __init__(self) -> None:
        self.joined = SimpleQueue[Session[Any, Any]]()
        self.ended = SimpleQueue[Session[Any, Any]]()


def rooms(groups: Groups, noted: Noted, *, direct: bool = True) -> App:
    """Whoever says "go" has its own frames and the group's come in turns."""
    app = App(groups=groups, direct=direct, limits=Limits(rate=None, stall=1, grace=0.1, outbox=20, outbox_bytes=200 * KIB))

    @app.websocket("/")
    async def member(session: Session[Go, Said], groups: Groups) -> None:
        await session.join("room")
        noted.joined.put(session)
        await session.send(said(0, "joined"))
        try:
            async for message in session:
                for n in range(message.count):
                    await groups.publish("room", said(n, "groups"))
                    await session.send(said(n, "itself"))
        finally:
            noted.ended.put(session)

    return app


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("groups_are", [True, False])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_frames_keep_their_order(
    ws: str, loop: str, compression: str | None, is_direct: bool, groups_are: bool, direct: list[bool]
) -> None:
    """Of one session, and of all members: whatever their size, whoever sends them, compressed or not."""
    count = 40
    app = rooms(Groups(direct=groups_are), Noted(), direct=is_direct)
    with serving(app, ws=ws, loop=loop) as address, ExitStack() as stack:
        members = [stack.enter_context(connect(f"ws://{address}/", compression=compression, max_size=None)) for _ in range(3)]
        for each in members:
            texts(each, 1)
        members[0].send(f'{{"type":"go","count":{count}}}')
        mixed = texts(members[0], 2 * count)
        assert [(each["n"], each["by"]) for each in mixed] == [(n, by) for n in range(count) for by in ("groups", "itself")]
        assert all(each["text"] == "x" * (SIZES[each["n"] % 5] - EMPTY) for each in mixed)
        for other in members[1:]:
            assert [(each["n"], each["by"]) for each in texts(other, count)] == [(n, "groups") for n in range(count)]
    assert any(direct) is is_direct


def test_a_member_that_stops_reading_is_closed_and_holds_up_nobody(ws: str, direct: list[bool]) -> None:
    """What waits for it is bounded, in the transport too; the others hear everything meanwhile."""
    noted = Noted()
    inside = ServerLoop()
    app = rooms(Groups(), noted)

    @app.websocket("/publish")
    async def publish(session: Session[Go, Said], groups: Groups) -> None:
        inside.loop = running_loop()
        async for message in session:
            result = await groups.publish("room", said(message.count * 5 + 2, "groups"))
            await session.send(said(result.delivered or 0, "delivered"))

    with serving(app, ws=ws, buffers=4 * KIB) as address, ExitStack() as stack:
        publisher, reader = (stack.enter_context(connect(f"ws://{address}{path}", max_size=None)) for path in ("/publish", "/"))
        texts(reader, 1)
        silent = stack.enter_context(handshake(address, buffers=4 * KIB))
        noted.joined.get(timeout=10)
        slow = noted.joined.get(timeout=10)
        transport = life_of(slow).outbox.send_event.__self__.transport  # type: ignore[attr-defined]
        delivered: list[int] = []
        for n in range(10):
            publisher.send(f'{{"type":"go","count":{n}}}')
            delivered += [each["n"] for each in texts(publisher, 1)]
            assert texts(reader, 1)[0]["n"] == n * 5 + 2
            assert inside(transport.get_write_buffer_size) <= 64 * KIB + 2 * 65_535
        assert (delivered[0], delivered[-1]) == (2, 1)
        assert noted.ended.get(timeout=10) is slow
        ended = slow.ended
        assert ended is not None
        assert (ended.by, ended.code) == ("server", 1013)
        assert True in direct
        assert False in direct
        silent.close()


def test_a_member_that_vanishes_breaks_nothing(ws: str, direct: list[bool]) -> None:
    """It is published to until the server notices; the publisher hears of nothing, and the member leaves the group."""
    noted = Noted()
    app = rooms(Groups(), noted)
    with serving(app, ws=ws) as address, connect(f"ws://{address}/", max_size=None) as reader:
        texts(reader, 1)
        noted.joined.get(timeout=10)
        for _ in range(20):
            vanishing = handshake(address)
            session = noted.joined.get(timeout=10)
            reset(vanishing)
            reader.send('{"type":"go","count":5}')
            assert [each["n"] for each in texts(reader, 10)] == [n for n in range(5) for _ in range(2)]
            assert noted.ended.get(timeout=10) is session
            assert session.ended is not None
            assert session.ended.by != "server"
    assert True in direct


def test_nothing_comes_behind_the_close_frame(ws: str) -> None:
    """A session that is closed while others publish as fast as they can ends with its close frame."""
    noted = Noted()
    app = rooms(Groups(), noted)

    @app.websocket("/closing")
    async def closing(session: Session[Go, Said]) -> None:
        await session.join("room")
        async for _ in session:
            await session.close(1000, "enough")

    with serving(app, ws=ws) as address, connect(f"ws://{address}/", max_size=None) as publisher:
        texts(publisher, 1)
        for _ in range(10):
            with connect(f"ws://{address}/closing", max_size=None) as session:
                publisher.send('{"type":"go","count":20}')
                session.send('{"type":"go","count":0}')
                heard = [json.loads(frame)["n"] for frame in session]  # a frame behind the close would break the protocol
                first = heard[0] if heard else 0
                assert heard == list(range(first, first + len(heard)))
                assert (session.close_code, session.close_reason) == (1000, "enough")
                texts(publisher, 40)


def test_a_middleware_sees_the_frames_of_groups(ws: str, direct: list[bool]) -> None:
    """Where one wraps `send`, nothing is written past it."""
    seen: list[str] = []

    class Seeing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def see(event: Any) -> None:
                seen.append(event.get("text", event["type"]))
                await send(event)

            await self.app(scope, receive, see if scope["type"] == "websocket" else send)

    app = rooms(Groups(), Noted())
    app.add_middleware(Seeing)
    with serving(app, ws=ws) as address, connect(f"ws://{address}/", max_size=None) as session:
        texts(session, 1)
        session.send('{"type":"go","count":3}')
        texts(session, 6)
    assert sum('"by":"groups"' in text for text in seen) == 3
    assert direct == []
