"""What one peer does to its own session behind a real server, and cannot do to anything else."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import anyio
import pytest
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.bare import handshake, masked, reset
from tests.serving import serving
from wscontrollers import (
    App,
    Controller,
    Limits,
    Message,
    Session,
    WebSocket,
    WebSocketDisconnect,
    receive,
    websocket,
)


class Say(Message):
    text: str


class Said(Message):
    text: str


class Idle(Message): ...


class Count(Message):
    to: int


class Number(Message):
    n: int


@pytest.fixture(params=["websockets-sansio", "wsproto"])
def ws(request: pytest.FixtureRequest) -> str:
    """Both WebSocket implementations of uvicorn that are not deprecated."""
    implementation: str = request.param
    return implementation


def answers_of(peer: ClientConnection) -> Counter[str]:
    """What a peer is told until it is closed: the codes of errors, the tags of all else, and the close."""
    told = Counter[str]()
    with suppress(ConnectionClosed):
        while True:
            frame = json.loads(peer.recv(timeout=20))
            told[frame.get("code", frame["type"])] += 1
    told[f"{peer.close_code} {peer.close_reason}"] += 1
    return told


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ('{"type":"nothing"}', {"unknown_type": 10, "1008 too many bad frames": 1}),
        ('{"type":"idle"}', {"rate_limited": 1, "1008 too many messages": 1}),
    ],
)
def test_a_session_that_has_ended_answers_nothing_more(ws: str, frame: str, told: dict[str, int]) -> None:
    """While its handlers have their grace its frames are read to see that the peer leaves, and for nothing else."""

    class Desk(Controller):
        limits = Limits(grace=1, burst=50)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive(order="concurrent")
        async def say(self, message: Say) -> None:
            await anyio.sleep_forever()

        @receive
        async def idle(self, message: Idle) -> None: ...

    with serving(App(controllers=[Desk]), ws=ws) as address, connect(f"ws://{address}/") as peer:
        for _ in range(4):
            peer.send('{"type":"say","text":"a"}')
        with suppress(ConnectionClosed):
            for _ in range(2_000):
                peer.send(frame)
        assert answers_of(peer) == Counter(told)


@pytest.mark.parametrize("way", ["send", "answers"])
@pytest.mark.parametrize("is_reset", [False, True])
def test_one_that_is_only_sent_to_leaves_the_loop_to_others(ws: str, way: str, is_reset: bool) -> None:
    """A loop of `send`s, or messages without a pause, to a client that reads all at once, or is gone: others are served."""
    ended: queue.Queue[Any] = queue.Queue()
    app = App(limits=Limits(rate=None))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            await session.receive()
            while True:
                await session.send(Said(text="a" * 200))
        finally:
            ended.put(session.ended)

    @app.websocket("/answers")
    async def answers(session: Session[Say, Said]) -> None:
        try:
            async for message in session:
                await session.reply(message, Said(text="a" * 200))
        finally:
            ended.put(session.ended)

    @app.websocket("/other")
    async def other(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text="b"))

    say = masked('{"type":"say","text":"%s"}' % ("a" * 200))
    with serving(app, ws=ws) as address:
        raw = handshake(address, path="/" if way == "send" else "/answers")
        reading = threading.Thread(target=read_all, args=(raw,), daemon=True)
        reading.start()
        raw.sendall(say * (1 if way == "send" else 5_000))
        if is_reset:
            raw.shutdown(socket.SHUT_RD)  # else the socket lives on in the thread that reads it
            reading.join(10)
            reset(raw)
            assert ended.get(timeout=10).by in ("client", "network")
        with connect(f"ws://{address}/other", open_timeout=10) as peer:
            for _ in range(20):
                peer.send('{"type":"say","text":"a"}')
                assert json.loads(peer.recv(timeout=5)) == {"type": "said", "text": "b"}
        if not is_reset:
            raw.shutdown(socket.SHUT_RDWR)
            reading.join(10)
            raw.close()
            assert ended.get(timeout=10).by in ("client", "network")


def read_all(raw: socket.socket) -> None:
    """Read as fast as it comes, and throw it away."""
    with suppress(OSError):
        while raw.recv(1 << 20):
            pass


@pytest.mark.parametrize("is_free", [False, True])
def test_credit_is_no_message(ws: str, is_free: bool) -> None:
    """A client may grant each item of a long stream, also when that has ended long before; its messages count as before."""

    class Counting(Controller):
        limits = Limits(rate=0.001, burst=3)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def count(self, message: Count) -> AsyncIterator[Number]:
            for n in range(message.to):
                yield Number(n=n)

    credit = '{"type":"credit","re":"s","n":1}'
    with serving(App(controllers=[Counting]), ws=ws) as address, connect(f"ws://{address}/") as peer:
        peer.send('{"type":"count","to":2000,"ref":"s"}')
        items = [peer.recv(timeout=20) for _ in range(2_000 if is_free else 1)]
        for _ in items:
            peer.send(credit)
        while json.loads(item := peer.recv(timeout=20))["type"] != "end":
            items.append(item)
            peer.send(credit)
        assert len(items) == 2_000
        for _ in range(2):
            peer.send('{"type":"count","to":0,"ref":"t"}')
            assert json.loads(peer.recv(timeout=20))["type"] == "end"
        peer.send('{"type":"count","to":0,"ref":"t"}')
        assert answers_of(peer) == Counter({"rate_limited": 1, "1008 too many messages": 1})


class Stalled(NamedTuple):
    """What is known of a session whose peer reads nothing."""

    protocols: list[Any]
    ended: queue.Queue[Any]
    app: App


def stalled(policy: str, message: int, count: int) -> Stalled:
    """Sessions that are sent so many messages of so many bytes, which do not wait."""
    protocols: list[Any] = []
    ended: queue.Queue[Any] = queue.Queue()

    class Sending(Controller):
        limits = Limits(outbox_bytes=100_000, grace=0.1)
        outbox: Any = policy

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            websocket: Any = session.websocket
            protocols.append(websocket.send_event.__self__)
            yield
            ended.put(session.ended)

        @receive
        async def say(self, message: Say, session: Session) -> None:
            for _ in range(count):
                session.send_nowait(Said(text="a" * size))
            ended.put("sent")

    size = message
    return Stalled(protocols, ended, App(controllers=[Sending]))


SAY = masked('{"type":"say","text":"%s"}' % ("a" * 200))


def test_a_peer_that_stopped_reading_is_broken_off(ws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its outbox overflows, and the close frame cannot go out in its time: the connection is gone, not only closing."""
    monkeypatch.setattr("wscontrollers.session.life.CLOSE_TIME", 0.3)
    peer = stalled("close", 1_000, 5_000)
    with serving(peer.app, ws=ws, buffers=4096) as address, handshake(address, buffers=4096) as raw:
        raw.sendall(SAY)
        assert [peer.ended.get(timeout=10), peer.ended.get(timeout=10).code] == ["sent", 1013]
        deadline = time.monotonic() + 10
        while not peer.protocols[0].disconnected:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize("is_full", [False, True])
def test_a_server_ends_though_a_peer_has_stopped_reading(ws: str, is_full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be there something in its outbox, or only in the buffers below: it has its time to read it, and is broken off."""
    monkeypatch.setattr("wscontrollers.session.life.CLOSE_TIME", 0.3)
    peer = stalled("drop_newest", 1_000, 5_000 if is_full else 60)
    with ExitStack() as stack:
        with serving(peer.app, ws=ws, buffers=4096) as address:
            raw = stack.enter_context(handshake(address, buffers=4096))
            raw.sendall(SAY)
            assert peer.ended.get(timeout=10) == "sent"
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
    ended = peer.ended.get(timeout=1)
    assert (ended.by, ended.code) == ("server", 1012)


@pytest.mark.parametrize("way", ["dependencies", "starlette"])
@pytest.mark.parametrize("direct", [True, False])
def test_an_endpoint_without_a_session_waits_for_no_stalled_peer(
    ws: str, way: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears that the peer is gone, and the server's end does not wait for ever for what nobody reads."""
    monkeypatch.setattr("wscontrollers.session.stalls.CLOSE_TIME", 0.3)
    ended: queue.Queue[Any] = queue.Queue()
    app = App(direct=direct, limits=Limits(stall=0.5))

    async def flood(websocket: WebSocket) -> None:
        await websocket.accept()
        ended.put("begun")
        try:
            while True:
                await websocket.send_text("a" * 5_000)
        except WebSocketDisconnect as error:
            ended.put(error.code)

    if way == "starlette":
        app.router.routes.append(WebSocketRoute("/", flood))
    else:
        app.websocket("/")(flood)
    with ExitStack() as stack:
        with serving(app, ws=ws, buffers=4096) as address:
            stack.enter_context(handshake(address, buffers=4096))
            assert [ended.get(timeout=10), ended.get(timeout=10)] == ["begun", 1006]
            stack.enter_context(handshake(address, buffers=4096))
            assert ended.get(timeout=10) == "begun"
            begun = time.monotonic()
        assert time.monotonic() - begun < 5


FLOODS = {
    "pongs": b"\x8a\x80\0\0\0\0",
    "pings that nobody reads the answers of": b"\x89\x80\0\0\0\0",
    "fragments": b"\x00\x80\0\0\0\0",
    "messages behind the close": b'\x81\x8f\0\0\0\0{"type":"idle"}',
}


@pytest.mark.parametrize("flood", FLOODS)
def test_what_is_no_message_has_a_share_of_the_loop(ws: str, flood: str) -> None:
    """A client that sends nothing but the smallest frames, or goes on behind its close: another one is served meanwhile. One
    read's worth of them alone has the parser work for more than a second."""

    class Desk(Controller):
        limits = Limits(burst=5)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> Said:
            return Said(text=message.text)

        @receive
        async def idle(self, message: Idle) -> None: ...

    app = App(controllers=[Desk])

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    def send(raw: socket.socket) -> None:
        raw.settimeout(0.2)
        while not over.is_set():
            try:
                raw.sendall(FLOODS[flood] * 20_000)
            except TimeoutError:
                continue
            except OSError:
                return

    over = threading.Event()
    with serving(app, ws=ws) as address, handshake(address) as raw, connect(f"ws://{address}/echo") as peer:
        if flood == "fragments":
            raw.sendall(b"\x01\x80\0\0\0\0")
        sender = threading.Thread(target=send, args=(raw,))
        sender.start()
        try:
            begun = time.monotonic()
            for _ in range(40):
                peer.send("hello")
                assert peer.recv(timeout=10) == "hello"
            assert time.monotonic() - begun < 20
        finally:
            over.set()
            sender.join()


def full(ends: queue.Queue[Any], seconds: float) -> App:
    """Sessions whose first message takes so long, and which are sent far more than their inbox holds meanwhile."""

    class Slow(Controller):
        limits = Limits(rate=None, inbox=4)

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            try:
                yield
            finally:
                ends.put(session.ended)

        @receive
        async def say(self, message: Say) -> None:
            ends.put("in")
            await anyio.sleep(seconds)

        @receive
        async def idle(self, message: Idle) -> None: ...

    return App(controllers=[Slow])


def test_a_full_inbox_is_no_silence(ws: str) -> None:
    """The client answers all pings, but its pongs lie behind messages that are not read yet: it is not closed for that."""
    ends: queue.Queue[Any] = queue.Queue()
    pings: dict[str, Any] = {"ws_ping_interval": 0.3, "ws_ping_timeout": 0.3}
    with serving(full(ends, 1.5), ws=ws, **pings) as address, connect(f"ws://{address}/", ping_interval=None) as peer:
        peer.send('{"type":"say","text":"a"}')
        for ref in range(40):
            peer.send(json.dumps({"type": "idle", "ref": ref}))
        assert [json.loads(peer.recv(timeout=10))["re"] for _ in range(40)] == list(range(40))
        assert ends.get() == "in"


@pytest.mark.parametrize("way", ["reset", "server"])
def test_a_full_inbox_hides_no_end(ws: str, way: str) -> None:
    """A peer that is reset, and a server that ends, are seen at once by a session that reads nothing at the time."""
    ends: queue.Queue[Any] = queue.Queue()
    with serving(full(ends, 60), ws=ws) as address:
        raw = handshake(address)
        for _ in range(40):
            raw.sendall(SAY)
        assert ends.get(timeout=10) == "in"
        time.sleep(0.5)  # the look-out's time to see that the session is busy
        if way == "reset":
            reset(raw)
            assert ends.get(timeout=5).by in ("client", "network")
    if way == "server":
        assert ends.get(timeout=1).code == 1012
        raw.close()


def test_a_client_may_go_on_talking_while_it_is_asked(ws: str) -> None:
    """Within its rate and its burst, however many messages there are before its reply; all of them are handled behind it."""

    class Asking(Controller):
        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say, session: Session) -> Said:
            return await session.request(Said(text="what?"), reply=Said, timeout=20)

        @receive
        async def idle(self, message: Idle) -> None: ...

    with serving(App(controllers=[Asking]), ws=ws) as address, connect(f"ws://{address}/") as peer:
        peer.send('{"type":"say","text":"a","ref":"r"}')
        question = json.loads(peer.recv(timeout=10))
        for ref in range(190):
            peer.send(json.dumps({"type": "idle", "ref": ref}))
        peer.send(json.dumps({"type": "said", "text": "tea", "re": question["ref"]}))
        assert json.loads(peer.recv(timeout=10)) == {"type": "said", "text": "tea", "re": "r"}
        assert [json.loads(peer.recv(timeout=10))["re"] for _ in range(190)] == list(range(190))
