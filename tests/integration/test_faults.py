"""Peers and applications that misbehave, many at a time, behind a real server: nobody else feels it, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import logging
import queue
import select
import socket
import sys
import tracemalloc
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from zlib import crc32

import anyio
import anyio.lowlevel
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection as SyncConnection
from websockets.sync.client import connect

from tests.integration.bare import ServerLoop, fall_silent, handshake, masked, open_files, reset
from tests.serving import serving
from wscontrollers import App, Controller, Delivery, Depends, Ended, Groups, Limits, Message, Resume, Session, receive, websocket
from wscontrollers.session.session import life_of

KIB = 1024


class Go(Message):
    round: int


class Ack(Message): ...


class Tick(Message):
    round: int
    padding: str = ""


class Flood(Message, outbox="drop_oldest"):
    round: int
    padding: str


class Burst(Message):
    round: int
    padding: str


class Say(Message):
    text: str


class Chunk(Message):
    task: int
    n: int
    data: str
    check: int


@pytest.fixture(params=["websockets-sansio", "wsproto"])
def ws(request: pytest.FixtureRequest) -> str:
    """Both WebSocket implementations of uvicorn that are not deprecated."""
    implementation: str = request.param
    return implementation


# ---- one who stops reading


async def closed(session: ClientConnection) -> int | None:
    """The code that the server closes with; what comes before is thrown away."""
    while True:
        try:
            await session.recv()
        except ConnectionClosed as end:
            return None if end.rcvd is None else end.rcvd.code


async def stalled_at(address: str) -> ClientConnection:
    """A client that reads nothing, with little room in its kernel."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, tuple(address.split(":")))
    stalled = await connect_async(f"ws://{address}/", sock=small, compression=None)
    stalled.transport.pause_reading()
    return stalled


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_one_that_stops_reading_among_fifty_slows_nobody(ws: str) -> None:
    """The server goes on when 49 have acknowledged a round. The 50th reads none: it is closed, and little waits for it."""
    rounds, size, waiting = 80, 8 * KIB, 20
    acknowledged = asyncio.Semaphore(0)
    sessions: list[Session[Any, Any]] = []
    deliveries: dict[Session[Any, Any], list[Delivery]] = defaultdict(list)
    ends: dict[Session[Any, Any], Any] = {}
    app = App(limits=Limits(outbox=waiting, rate=None, grace=0.1))

    @app.websocket("/")
    async def member(session: Session[Ack, Tick]) -> None:
        sessions.append(session)
        try:
            async for _ in session:
                acknowledged.release()
        finally:
            ends[session] = session.ended

    @app.websocket("/speaker")
    async def speaker(session: Session[Go, Tick]) -> None:
        async for message in session:
            for each in sessions:
                deliveries[each].append(each.send_nowait(Tick(round=message.round, padding="x" * size)))
            for _ in range(49):
                await acknowledged.acquire()
            await session.reply(message, Tick(round=message.round))

    async def follow(session: ClientConnection) -> None:
        for number in range(rounds):
            assert str(await session.recv()).startswith(f'{{"type":"tick","round":{number},')
            await session.send('{"type":"ack"}')

    with serving(app, ws=ws, buffers=4 * KIB) as address:
        async with anyio.create_task_group() as tasks, connect_async(f"ws://{address}/speaker") as speaking:
            members = [await connect_async(f"ws://{address}/", compression=None) for _ in range(49)]
            stalled = await stalled_at(address)
            for session in members:
                tasks.start_soon(follow, session)
            for number in range(rounds):
                await speaking.send(f'{{"type":"go","round":{number}}}')
                assert f'"round":{number}' in str(await speaking.recv())
            stalled.transport.resume_reading()
            assert await closed(stalled) == 1013
            for session in members:
                await session.close()
    slow = [session for session in sessions if ends[session].code == 1013]
    assert [ends[session].reason for session in slow] == ["too slow"]
    taken = rounds - deliveries[slow[0]].count(Delivery.CLOSED)
    # What is queued, 64 KiB of the transport, and the kernel's buffers of either side, which it doubles.
    assert waiting < taken < waiting + 64 / 8 + 10 < rounds
    assert deliveries[slow[0]][taken:] == [Delivery.CLOSED] * (rounds - taken)
    assert all(Delivery.CLOSED not in deliveries[session] for session in sessions if session not in slow)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", [Flood, Burst])
async def test_memory_beside_one_that_stops_reading_grows_by_its_outbox_at_most(ws: str, kind: type[Flood | Burst]) -> None:
    """It is sent many times what may wait for it. What does, and what its transport takes, is all that the server keeps.

    By the default policy it is closed, and then less than its outbox is left.
    """
    rounds, size, waiting = 300, 16 * KIB, 512 * KIB
    acknowledged = asyncio.Semaphore(0)
    app = App(limits=Limits(outbox_bytes=waiting, rate=None, stall=None, grace=0.1))

    @app.websocket("/")
    async def member(session: Session[Ack, Flood | Burst]) -> None:
        await session.join("room")
        async for _ in session:
            acknowledged.release()

    @app.websocket("/speaker")
    async def speaker(session: Session[Go, Tick], groups: Groups) -> None:
        async for message in session:
            await groups.publish("room", kind(round=message.round, padding=str(message.round % 10) * size))
            for _ in range(9):
                await acknowledged.acquire()
            await session.reply(message, Tick(round=message.round))

    async def follow(session: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await session.recv()
                await session.send('{"type":"ack"}')

    with serving(app, ws=ws, buffers=4 * KIB) as address, tracing():
        async with anyio.create_task_group() as tasks, connect_async(f"ws://{address}/speaker") as speaking:

            async def speak(first: int, count: int) -> list[int]:
                held: list[int] = []
                for number in range(first, first + count):
                    await speaking.send(f'{{"type":"go","round":{number}}}')
                    assert f'"round":{number}' in str(await speaking.recv())
                    held.append(tracemalloc.get_traced_memory()[0])
                return held

            for _ in range(9):
                tasks.start_soon(follow, await connect_async(f"ws://{address}/", compression=None))
            before = max(await speak(0, 40))  # with all that is made once
            stalled = await stalled_at(address)
            held = await speak(40, rounds)
            stalled.transport.abort()
            tasks.cancel_scope.cancel()
    # Beside the outbox: 64 KiB and a message in the transport, and what a session and its client take by themselves.
    assert waiting < max(held) - before < waiting + 4 * 64 * KIB < rounds * size / 4
    assert (held[-1] - before < waiting / 2) is (kind is Burst)


def test_a_flood_is_not_read_while_nobody_takes_it(ws: str) -> None:
    """Of 10,000 frames those that fit into the inbox and the buffers leave the client; once they are taken: 1008."""
    seen: list[str] = []
    server, go_on = ServerLoop(), asyncio.Event()
    app = App(limits=Limits(inbox=4, rate=0.1))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Any]) -> None:
        server.loop = asyncio.get_running_loop()
        async for message in session:
            seen.append(message.text)
            await go_on.wait()

    frame = masked('{"type":"say","text":"%s"}' % ("a" * KIB))
    with serving(app, ws=ws, buffers=4 * KIB) as address:
        raw = handshake(address, buffers=4 * KIB)
        sent = 0
        raw.setblocking(False)
        while sent < 10_000 * len(frame) and select.select([], [raw], [], 1)[1]:
            sent += raw.send(frame)  # what is cut off is no matter: a frame goes on with the next one's bytes
        paused_at = sent / len(frame)
        assert len(seen) == 1
        # The inbox and the one that is handled; what uvicorn read in one go, at most 256 KiB; the kernel's buffers.
        assert paused_at < 5 + 256 + 32
        raw.close()
        server(go_on.set)
        with connect(f"ws://{address}/") as session:
            answers = flooded(session, '{"type":"say","text":"a"}')
    assert answers == (1008, "too many messages")
    assert len(seen) <= paused_at + 200 + 1


def flooded(session: SyncConnection, frame: str) -> tuple[int, str]:
    """Send up to 10,000 frames; returns how the server closes."""
    with suppress(ConnectionClosed):
        for _ in range(10_000):
            session.send(frame)
    return last_words(session)


def last_words(session: SyncConnection) -> tuple[int, str]:
    """How the server closes; what comes before is thrown away."""
    with suppress(ConnectionClosed):
        while True:
            session.recv(timeout=20)
    assert session.close_code is not None
    return session.close_code, session.close_reason or ""


@contextmanager
def tracing() -> Iterator[None]:
    """Have Python count the memory that it takes."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


class Turns:
    """Counts the turns of an event loop: what lies between two moments there, however fast the machine is."""

    def __init__(self) -> None:
        self.count = 0
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.count += 1
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def stop(self) -> None:
        self._handle.cancel()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_members_beside_one_that_stops_reading_are_written_to_in_the_same_turn(
    ws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many turns of the event loop lie between a publication and a member's write is the latency that a neighbour can add.

    It does not depend on the machine: the same for 49 beside one that reads, and beside one that does not.
    """
    rounds = 20
    taken = asyncio.Semaphore(0)
    members: list[Session[Any, Any]] = []
    turns: dict[bool, list[list[int]]] = {False: [], True: []}
    written: list[tuple[int, int]] = []
    clocks: list[Turns] = []
    app = App(limits=Limits(rate=None, stall=None))
    transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    write = transport.write

    def noting(self: Any, data: bytes) -> None:
        for clock in clocks:
            written.append((self.get_extra_info("peername")[1], clock.count))
        write(self, data)

    monkeypatch.setattr(transport, "write", noting)

    @app.websocket("/")
    async def member(session: Session[Ack, Tick]) -> None:
        await session.join("all")
        members.append(session)
        await session.send(Tick(round=-1))
        async for _ in session:
            taken.release()

    @app.websocket("/speaker")
    async def speaker(session: Session[Go, Tick]) -> None:
        first = life_of(members[0]).outbox  # the first that is written to: who waits for it keeps all others waiting
        ports = [each.websocket.client.port for each in members if each.websocket.client is not None]
        async for message in session:
            is_stalled = message.round >= rounds
            while is_stalled and first.waiting < 8:
                members[0].send_nowait(Tick(round=-1, padding="x" * 8 * KIB))
                await anyio.lowlevel.checkpoint()
            written.clear()
            clocks.append(Turns())
            await app.groups.publish("all", Tick(round=message.round))
            for _ in range(49 if is_stalled else 50):
                await taken.acquire()
            clocks.pop().stop()
            assert first.writing is is_stalled
            turns[is_stalled].append([turn for port, turn in written if port in ports[1:]])
            await session.reply(message, Tick(round=message.round))

    async def follow(session: ClientConnection, first: int, until: int) -> None:
        for number in range(first, until):
            assert str(await session.recv()).startswith(f'{{"type":"tick","round":{number},')
            await session.send('{"type":"ack"}')

    async def connected(address: str) -> ClientConnection:
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, tuple(address.split(":")))
        session = await connect_async(f"ws://{address}/", sock=small, compression=None)
        await session.recv()  # it has joined
        return session

    with serving(app, ws=ws, loop="asyncio", buffers=4 * KIB) as address:
        stalls = await connected(address)
        others = [await connected(address) for _ in range(49)]
        async with anyio.create_task_group() as tasks, connect_async(f"ws://{address}/speaker") as speaking:
            for session in others:
                tasks.start_soon(follow, session, 0, 2 * rounds)
            for number in range(2 * rounds):
                if number < rounds:
                    tasks.start_soon(follow, stalls, number, number + 1)
                elif number == rounds:
                    stalls.transport.pause_reading()
                await speaking.send(f'{{"type":"go","round":{number}}}')
                assert f'"round":{number}' in str(await speaking.recv())
        stalls.transport.abort()
        for session in others:
            await session.close()
    assert [len(each) for each in turns[False] + turns[True]] == [49] * 2 * rounds
    assert turns[True] == turns[False]


# ---- those who vanish


def test_a_thousand_sessions_that_are_reset_at_once_leave_nothing(ws: str) -> None:
    """Tasks, handlers and clean-ups of all come to their end once, and memory is what it was behind the wave before."""
    log: dict[str, int] = defaultdict(int)
    ready, gone = queue.Queue[None](), queue.Queue[None]()
    server = ServerLoop()

    async def resource_of_it() -> AsyncIterator[None]:
        try:
            yield
        finally:
            log["clean-up"] += 1
            gone.put(None)

    class Crowd(Controller):
        dependencies = [Depends(resource_of_it)]

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            server.loop = asyncio.get_running_loop()
            session.start_soon(self.wait, "task")
            ready.put(None)
            yield
            assert session.ended is not None
            log[f"ended by {session.ended.by}"] += 1

        @receive
        async def say(self, message: Say) -> None:
            await self.wait("handler")

        async def wait(self, what: str) -> None:
            log[f"{what} in"] += 1
            try:
                await anyio.sleep_forever()
            finally:
                log[f"{what} out"] += 1

    def wave(address: str, count: int) -> int:
        """Open sessions, half of them with a handler at work, reset them all; returns what the process holds behind it."""
        log.clear()
        peers = [handshake(address) for _ in range(count)]
        for peer in peers[::2]:
            peer.sendall(masked('{"type":"say","text":"%s"}' % ("a" * 200)))
        for _ in peers:
            ready.get(timeout=20)
        while server(lambda: log["handler in"]) < count / 2:
            pass
        for peer in peers:
            reset(peer)
        for _ in peers:
            gone.get(timeout=20)
        while server(lambda: len(asyncio.all_tasks())) > idle:
            pass
        gc.collect()
        return sys.getallocatedblocks()

    with open_files(4096), serving(App(controllers=[Crowd]), ws=ws) as address:
        handshake(address).close()
        gone.get(timeout=20)
        ready.get(timeout=20)
        idle = server(lambda: len(asyncio.all_tasks()))
        before = wave(address, 100)
        behind = wave(address, 1_000)
        by = {kind: count for kind, count in log.items() if kind.startswith("ended by")}
    assert sum(by.values()) == 1_000
    assert {kind: log[kind] for kind in ("clean-up", "task in", "task out")} == dict.fromkeys(
        ("clean-up", "task in", "task out"), 1_000
    )
    assert log["handler in"] == log["handler out"] == 500
    assert behind < before + 10 * 1_000, "an idle session holds some hundred blocks"


def test_a_peer_that_falls_silent_is_gone_at_the_ping_time_out(ws: str) -> None:
    """It answers no ping any more, and the connection stays: handlers, tasks and clean-ups end all the same."""
    log: queue.Queue[Any] = queue.Queue()

    class Busy(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            yield
            log.put(session.ended)

        @receive
        async def say(self, message: Say) -> None:
            log.put("in")
            try:
                await anyio.sleep_forever()
            finally:
                log.put("out")

    pings: dict[str, Any] = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.2}
    with serving(App(controllers=[Busy]), ws=ws, **pings) as address:
        raw = handshake(address)
        raw.sendall(masked('{"type":"say","text":"%s"}' % ("a" * 200)))
        assert [log.get(timeout=10) for _ in range(2)] == ["in", "out"]
        assert log.get(timeout=10).by in ("client", "network")
        raw.close()


def test_a_peer_that_falls_silent_behind_what_it_did_not_read_is_gone_too(ws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvicorn closes the connection at its ping time-out, and that would wait for what was written before to be read.

    So it is with a session that can be resumed.
    """
    monkeypatch.setattr("wscontrollers.session.stalls.CLOSE_TIME", 0.5)  # in place of 5 seconds
    log: queue.Queue[Any] = queue.Queue()

    class Idle(Controller):
        limits = Limits(stall=None, outbox=10_000, outbox_bytes=2**30)
        resume = Resume(0.5) if ws == "wsproto" else None

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            yield
            log.put(session.ended)

        @receive
        async def say(self, message: Say, session: Session) -> None:
            for _ in range(20):
                session.send_nowait(Tick(round=0, padding="x" * 64 * KIB))

    pings: dict[str, Any] = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.2}
    with serving(App(controllers=[Idle]), ws=ws, buffers=4 * KIB, **pings) as address:
        raw = handshake(address, buffers=4 * KIB)
        raw.sendall(masked('{"type":"say","text":"%s"}' % ("a" * 200)))
        assert log.get(timeout=10) == Ended("network", 1006)
        raw.close()


class Busy(Controller):
    """Its inbox is full at once, and stays so until the handler ends."""

    limits = Limits(inbox=2, rate=None, stall=None, outbox=10_000, outbox_bytes=2**30)
    ticks = 0
    seconds = 3600.0
    log: queue.Queue[Any]

    @websocket("/")
    async def open(self, session: Session) -> AsyncIterator[None]:
        yield
        self.log.put(session.ended)

    @receive
    async def say(self, message: Say, session: Session) -> None:
        self.log.put("in")
        try:
            for _ in range(self.ticks):
                session.send_nowait(Tick(round=0, padding="x" * 64 * KIB))
            await anyio.sleep(self.seconds)
        finally:
            self.log.put("out")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell")
@pytest.mark.parametrize("is_closed", [False, True], ids=["open window", "closed window"])
def test_a_peer_that_falls_silent_behind_a_full_inbox_is_gone_too(ws: str, is_closed: bool) -> None:
    """Nothing is read from it, so no pong can tell; what its kernel does not answer does, pings or questions about its window."""
    seen: queue.Queue[Any] = queue.Queue()

    class Desk(Busy):
        log = seen
        ticks = 100 if is_closed else 0

    loop: Any = "uvloop" if is_closed else "asyncio"
    pings: dict[str, Any] = {"ws_ping_interval": 0.3, "ws_ping_timeout": 0.5}
    with serving(App(controllers=[Desk]), ws=ws, loop=loop, buffers=4 * KIB, **pings) as address:
        raw = handshake(address, buffers=4 * KIB)
        for _ in range(20):
            raw.sendall(masked('{"type":"say","text":"%s"}' % ("a" * 200)))
        assert seen.get(timeout=10) == "in"
        fall_silent(raw)
        assert seen.get(timeout=10) == "out"
        assert seen.get(timeout=10) == Ended("network", 1006)
        raw.close()


def test_a_peer_that_only_waits_behind_a_full_inbox_stays(ws: str) -> None:
    """It reads nothing, and what it and the server send has filled every buffer between them; its kernel is there."""
    buffers = 4 * KIB if ws == "wsproto" else None
    seen: queue.Queue[Any] = queue.Queue()

    class Desk(Busy):
        log = seen
        ticks = 100
        seconds = 3.0  # many times the time-out

    # The first time-out comes when the inbox is full for sure.
    pings: dict[str, Any] = {"ws_ping_interval": 0.3, "ws_ping_timeout": 0.5}
    with serving(App(controllers=[Desk]), ws=ws, buffers=buffers, **pings) as address:
        raw = handshake(address, buffers=buffers)
        frame = masked('{"type":"say","text":"%s"}' % ("a" * 200))
        raw.sendall(frame)
        assert seen.get(timeout=10) == "in"
        raw.setblocking(False)
        rest = memoryview(frame * 100_000)
        while seen.empty():
            try:
                rest = rest[raw.send(rest) :]
            except BlockingIOError:
                select.select([], [raw], [], 0.1)
        assert seen.get(timeout=10) == "out"
        assert seen.get(timeout=10) == "in", "the next message's turn: the session is there"
        raw.close()


# ---- an application that fails


def test_clean_ups_that_fail_hide_none_of_the_others(ws: str, caplog: pytest.LogCaptureFixture) -> None:
    """All of them run, the log has every exception, and the peer gets a close frame: 1011."""
    ran: list[str] = []

    def failing(name: str) -> Any:
        async def dependency() -> AsyncIterator[None]:
            try:
                yield
            finally:
                ran.append(name)
                if name != "c":
                    raise ZeroDivisionError(f"clean-up {name}")

        return Depends(dependency)

    class Untidy(Controller):
        dependencies = [failing("a"), failing("b"), failing("c")]

        @websocket("/", dependencies=[failing("d")])
        async def open(self, session: Session) -> AsyncIterator[None]:
            yield
            ran.append("behind")
            raise ZeroDivisionError("behind the yield")

        @receive
        async def say(self, message: Say, session: Session) -> None:
            await session.close(4001)

    with (
        caplog.at_level(logging.ERROR),
        serving(App(controllers=[Untidy]), ws=ws) as address,
        connect(f"ws://{address}/") as peer,
    ):
        peer.send('{"type":"say","text":"go"}')
        assert last_words(peer) == (1011, "Internal error")
    assert ran == ["behind", "d", "c", "b", "a"]
    told = [record for record in caplog.records if record.name == "wscontrollers.session"]
    assert len(told) == 1
    for words in ("behind the yield", "clean-up d", "clean-up b", "clean-up a"):
        assert f"ZeroDivisionError: {words}" in logging.Formatter().format(told[0]), words


def test_clean_ups_that_fail_behind_a_reset_hide_none_of_the_others(ws: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is there to be told; all of them run, the log has them, and the next session is served."""
    ran = queue.Queue[str]()

    def failing(name: str) -> Any:
        async def dependency() -> AsyncIterator[None]:
            try:
                yield
            finally:
                ran.put(name)
                raise ZeroDivisionError(f"clean-up {name}")

        return Depends(dependency)

    class Untidy(Controller):
        dependencies = [failing("a"), failing("b")]

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            yield
            assert session.ended is not None
            ran.put(session.ended.by)

        @receive
        async def say(self, message: Say) -> Tick:
            return Tick(round=1)

    with caplog.at_level(logging.ERROR), serving(App(controllers=[Untidy]), ws=ws) as address:
        for _ in range(2):
            raw = handshake(address)
            reset(raw)
            assert [ran.get(timeout=10) for _ in range(3)] == ["network", "b", "a"]
        with connect(f"ws://{address}/") as peer:
            peer.send('{"type":"say","text":"go","ref":1}')
            assert '"round":1' in str(peer.recv(timeout=10))
    told = [logging.Formatter().format(record) for record in caplog.records if record.name == "wscontrollers.session"]
    assert len(told) == 3
    for text in told:
        assert "ZeroDivisionError: clean-up a" in text
        assert "ZeroDivisionError: clean-up b" in text


def test_a_stream_to_one_that_does_not_read_stands_still_and_can_be_cancelled(ws: str) -> None:
    """The generator waits for its reader and ends at the `cancel`; the reader then sees each item once, in order, and the end."""
    sessions, closed = queue.Queue[Session[Any, Any]](), queue.Queue[int]()
    server = ServerLoop()

    class Feed(Controller):
        limits = Limits(stall=None)

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            server.loop = asyncio.get_running_loop()
            sessions.put(session)
            yield

        @receive
        async def go(self, message: Go) -> AsyncIterator[Tick]:
            number = 0
            try:
                while True:
                    yield Tick(round=number, padding="x" * 8 * KIB)
                    number += 1
            finally:
                closed.put(number)

    with (
        serving(App(controllers=[Feed]), ws=ws, buffers=4 * KIB) as address,
        connect(f"ws://{address}/", compression=None, max_queue=1) as peer,
    ):
        peer.send('{"type":"go","round":0,"ref":"s"}')
        outbox = life_of(sessions.get(timeout=10)).outbox
        while not server(lambda: outbox.writing):  # until a write waits for the reader
            pass
        peer.send('{"type":"cancel","re":"s"}')
        given = closed.get(timeout=10)
        items = []
        while '"type":"end"' not in (frame := str(peer.recv(timeout=10))):
            items.append(int(frame.split('"round":')[1].split(",")[0]))
    assert items == list(range(len(items)))
    assert given <= len(items) + 1
    assert given < 1000


# ---- many who send


def test_frames_of_twenty_tasks_never_mix_under_pressure(ws: str) -> None:
    """Long and short ones, sent in both ways to a client that reads in fits: each is whole, and each task's are in order."""

    def chunk(task: int, n: int) -> Chunk:
        data = chr(ord("a") + task) * (1, 100, 5 * KIB, 100 * KIB)[(task + n) % 4]
        return Chunk(task=task, n=n, data=data, check=crc32(data.encode()))

    app = App(limits=Limits(outbox=10_000, outbox_bytes=100 * KIB * KIB))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Chunk]) -> None:
        async def send(task: int) -> None:
            for n in range(20):
                if (task + n) % 3:
                    assert await session.send(chunk(task, n)) is Delivery.SENT
                else:
                    assert session.send_nowait(chunk(task, n)) is not Delivery.CLOSED

        async with anyio.create_task_group() as tasks:
            for task in range(20):
                tasks.start_soon(send, task)

    seen: dict[int, list[int]] = defaultdict(list)
    with serving(app, ws=ws, buffers=4 * KIB) as address, connect(f"ws://{address}/", max_size=None, compression=None) as session:
        for _ in range(400):
            frame = Chunk.model_validate_json(session.recv(timeout=10))
            assert frame == chunk(frame.task, frame.n)
            seen[frame.task].append(frame.n)
        assert last_words(session) == (1000, "")
    assert seen == {task: list(range(20)) for task in range(20)}
