"""Sessions of a real server: what only a real peer, with its own pace and its own ways to leave, can show."""

from __future__ import annotations

import json
import queue
import socket
import struct
import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.serving import serving
from wscontrollers import App, Controller, Limits, Message, Session, receive, websocket


class Say(Message):
    text: str


class Said(Message):
    text: str


@pytest.fixture(params=["websockets-sansio", "wsproto"])
def ws(request: pytest.FixtureRequest) -> str:
    """Both WebSocket implementations of uvicorn that are not deprecated."""
    implementation: str = request.param
    return implementation


def reset(session: ClientConnection) -> None:
    """Leave without a word: the peer sees a TCP reset."""
    raw: socket.socket = session.socket
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.shutdown(socket.SHUT_RD)
    raw.close()


def closed(session: ClientConnection) -> int | None:
    """The code that the server closes with; what comes before is thrown away."""
    while True:
        try:
            session.recv(timeout=20)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd is not None else None


def sending_app(ends: queue.Queue[Any]) -> App:
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            while True:
                await session.send(Said(text="tick"))
                await anyio.sleep(0.05)
        finally:
            ends.put(session.ended)

    return app


def test_an_endpoint_that_only_sends_answers_pings(ws: str) -> None:
    """A client that sends frames which nobody waits for lives on: its pongs are seen although the endpoint never reads."""
    ends: queue.Queue[Any] = queue.Queue()
    pings: dict[str, Any] = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.4}
    with serving(sending_app(ends), ws=ws, **pings) as address, connect(f"ws://{address}/") as session:
        session.send('{"type": "say", "text": "nobody reads this"}')
        ticks = sum(1 for _ in range(30) if session.recv(timeout=5))
    assert ticks == 30
    assert ends.get(timeout=5).by == "client"


def test_an_endpoint_that_only_sends_sees_a_polite_close(ws: str) -> None:
    """The endpoint is cancelled, and `session.ended` has the client's code."""
    ends: queue.Queue[Any] = queue.Queue()
    with serving(sending_app(ends), ws=ws) as address:
        with connect(f"ws://{address}/") as session:
            session.recv(timeout=5)
            session.close(3001, "bye")
        ended = ends.get(timeout=5)
    assert (ended.by, ended.code) == ("client", 3001)


@pytest.mark.parametrize("leave", [reset, lambda session: session.socket.shutdown(socket.SHUT_RDWR)], ids=["RST", "FIN"])
def test_a_peer_that_vanishes_ends_everything(ws: str, leave: Any) -> None:
    """Endpoint, handlers and tasks are cancelled and clean-ups run, also where nobody sends or receives."""
    log: queue.Queue[str] = queue.Queue()

    class Busy(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            async def task() -> None:
                try:
                    await anyio.sleep_forever()
                finally:
                    log.put("task")

            session.start_soon(task)
            yield
            log.put("behind")

        @receive
        async def say(self, message: Say, session: Session) -> None:
            await session.send(Said(text="in"))
            try:
                await anyio.sleep_forever()
            finally:
                log.put("handler")

    with serving(App(controllers=[Busy]), ws=ws) as address:
        session = connect(f"ws://{address}/").__enter__()
        session.send('{"type": "say", "text": "a"}')
        session.recv(timeout=5)
        leave(session)
        assert [log.get(timeout=5) for _ in range(3)] == ["handler", "behind", "task"]


def test_a_peer_that_stops_reading_is_closed(ws: str) -> None:
    """Without room in its outbox the session of a slow reader ends, while others go on; who sends does not wait."""
    ends: queue.Queue[Any] = queue.Queue()
    stop = threading.Event()
    app = App(limits=Limits(outbox=100, grace=0.1))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        text = "x" * 10_000
        try:
            while not stop.is_set():
                session.send_nowait(Said(text=text))
                await anyio.lowlevel.checkpoint()
        finally:
            ends.put(session.ended)

    with serving(app, ws=ws) as address:
        raw = socket.create_connection(tuple(address.split(":")))  # type: ignore[arg-type]
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in raw.recv(20)
        ended = ends.get(timeout=20)
        stop.set()
        raw.close()
    assert (ended.by, ended.code, ended.reason) == ("server", 1013, "too slow")


def test_a_flood_is_closed(ws: str) -> None:
    """10,000 frames at once: one error `rate_limited`, then 1008."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    with serving(app, ws=ws) as address, connect(f"ws://{address}/", close_timeout=1) as session:
        try:
            for _ in range(10_000):
                session.send('{"type": "say", "text": "a"}')
        except ConnectionClosed:
            pass
        assert closed(session) == 1008


def test_a_message_that_is_too_big_is_closed(ws: str) -> None:
    """Beyond 64 KiB: 1009."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text="got it"))

    with serving(app, ws=ws) as address, connect(f"ws://{address}/") as session:
        session.send('{"type": "say", "text": "%s"}' % ("a" * 60_000))
        assert "got it" in str(session.recv(timeout=5))
        session.send('{"type": "say", "text": "%s"}' % ("a" * 70_000))
        assert closed(session) == 1009


@pytest.mark.parametrize(("path", "code"), [("/returns", 1000), ("/closes", 4001), ("/fails", 1011)])
def test_there_is_always_a_close_frame(ws: str, path: str, code: int, caplog: pytest.LogCaptureFixture) -> None:
    """An endpoint that returns, closes or fails: 1000, its own code, 1011; never 1006."""
    app = App()

    @app.websocket("/returns")
    async def returns(session: Session) -> None: ...

    @app.websocket("/closes")
    async def closes(session: Session) -> None:
        await session.close(4001)

    @app.websocket("/fails")
    async def fails(session: Session) -> None:
        raise KeyError

    with serving(app, ws=ws) as address, connect(f"ws://{address}/{path[1:]}") as session:
        assert closed(session) == code


def test_many_tasks_send_at_once(ws: str) -> None:
    """Frames of 20 tasks arrive whole, each task's in its order."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async def send(task: int) -> None:
            for i in range(50):
                await session.send(Said(text=f"{task}:{i}:" + "x" * 8000))

        async with anyio.create_task_group() as tasks:
            for task in range(20):
                tasks.start_soon(send, task)

    with serving(app, ws=ws) as address, connect(f"ws://{address}/", max_size=None) as session:
        seen: dict[str, list[int]] = {}
        for _ in range(1000):
            frame = str(session.recv(timeout=10))
            assert frame.endswith('xxx"}')
            task, i, _x = frame.split('"text":"')[1].split(":")
            seen.setdefault(task, []).append(int(i))
        assert closed(session) == 1000
    assert len(seen) == 20
    assert all(order == list(range(50)) for order in seen.values())


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("direct", [True, False])
def test_who_gives_up_waiting_loses_nothing(ws: str, loop: str, direct: bool) -> None:
    """Messages arrive while a `receive` is cancelled, again and again, and between two of them: each comes, in its order, also
    where many come at once and reading stops. Pings are answered meanwhile."""
    app = App(direct=direct, limits=Limits(rate=None))

    @app.websocket("/")
    async def impatient(session: Session[Say, Said]) -> None:
        while True:
            message: Say | None = None
            with anyio.move_on_after(0):
                message = await session.receive()
            if message is None:
                await anyio.lowlevel.checkpoint()
                continue
            await session.send(Said(text=message.text))

    with serving(app, ws=ws, loop=loop) as address, connect(f"ws://{address}/") as session:
        for turn in range(5):
            texts = [f"{turn} {n}" for n in range(100)]
            for text in texts:
                session.send(json.dumps({"type": "say", "text": text}))
            assert [json.loads(session.recv(timeout=10))["text"] for _ in texts] == texts
            assert session.ping().wait(10)
