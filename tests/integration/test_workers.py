"""Four workers of uvicorn over one Redis, as they run in production."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from tests.groups.engines.servers import RedisServer, free_port, valkey_binary
from tests.integration.several import WHERE, Said, tea
from wscontrollers import App, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import EngineState, Publisher
from wscontrollers.groups.engines.redis import RedisEngine
from wscontrollers.testing import AsyncTestClient

WORKERS = 4
PATIENCE = 10.0
"""Seconds within which what must come does come, on a busy machine too."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Valkey of the test's own."""
    server = RedisServer(valkey_binary(), tmp_path / "valkey")
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Workers:
    """`uvicorn --workers 4`.

    Args:
        redis: Where the engine is.
        log: Where it writes to.
    """

    def __init__(self, redis: RedisServer, log: Path) -> None:
        self.port = free_port()
        self._log = log
        paths = os.pathsep.join(path for path in sys.path if path)
        options = ["--workers", str(WORKERS), "--port", str(self.port), "--log-level", "warning"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "tests.integration.several:app", *options],
                cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONPATH": paths, WHERE: redis.url},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text()

    def kill(self) -> None:
        """End all of its processes, whatever they do."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def served(redis: RedisServer, log: Path) -> Iterator[Workers]:
    workers = Workers(redis, log)
    try:
        yield workers
    finally:
        workers.kill()


class Peer:
    """A session of one of the workers.

    Attributes:
        who: Whose it is.
        pid: The worker.
    """

    def __init__(self, session: ClientConnection, who: str) -> None:
        self._session = session
        self.who = who
        self.pid: int = self._next("hello")["pid"]

    def say(self, text: str) -> None:
        self._session.send(json.dumps({"type": "say", "text": text}))

    def heard(self) -> Said:
        frame = self._next("said")
        return Said(who=frame["who"], pid=frame["pid"], text=frame["text"])

    def closed(self) -> int:
        """The code with which it ends."""
        with pytest.raises(ConnectionClosed) as caught:
            self._next("nothing more")
        assert caught.value.rcvd is not None
        return caught.value.rcvd.code

    def _next(self, kind: str) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = json.loads(self._session.recv(timeout=PATIENCE))
            if frame["type"] != "presence":
                assert frame["type"] == kind
                return frame


def come(workers: Workers, who: str, stack: ExitStack) -> Peer:
    """A session, as soon as the workers are there."""
    until = time.monotonic() + 3 * PATIENCE
    while True:
        try:
            return Peer(stack.enter_context(connect(f"ws://127.0.0.1:{workers.port}/{who}", compression=None)), who)
        except (OSError, InvalidHandshake):
            assert workers.process.poll() is None, workers.log
            assert time.monotonic() < until, workers.log


def spread(workers: Workers, stack: ExitStack) -> list[Peer]:
    """Sessions of ann and of bob, so many that each of them is on all workers: the system gives them out as it likes."""
    peers: list[Peer] = []
    until = time.monotonic() + 3 * PATIENCE
    while any(len({peer.pid for peer in peers if peer.who == who}) < WORKERS for who in ("ann", "bob")):
        assert time.monotonic() < until, sorted((peer.who, peer.pid) for peer in peers)
        peers += [come(workers, who, stack) for who in ("ann", "bob")]
    return peers


@pytest.mark.timeout(120)
def test_four_workers_are_one_application(redis: RedisServer, tmp_path: Path) -> None:
    """Sessions hear each other, a publisher reaches all, presence counts all, a user is ended everywhere, SIGTERM ends it."""
    with served(redis, tmp_path / "log") as workers, ExitStack() as stack:
        peers = spread(workers, stack)
        for speaker in {peer.pid: peer for peer in peers}.values():
            speaker.say("hi")
            for peer in peers:
                assert peer.heard() == Said(who=speaker.who, pid=speaker.pid, text="hi")
        with Publisher(redis.url, groups=[tea]) as groups:
            assert groups.publish("tea", Said(who="cron", pid=0, text="all")).mark is not None
            assert {peer.heard().who for peer in peers} == {"cron"}
            assert [kept.message.text for kept in groups.history("tea")] == ["hi"] * WORKERS + ["all"]
            assert sorted(each.info.pid for each in groups.members("tea")) == sorted(peer.pid for peer in peers)
            groups.disconnect("user:ann", 4001, "signed out")
            assert {peer.closed() for peer in peers if peer.who == "ann"} == {4001}
            left = [peer for peer in peers if peer.who == "bob"]
            groups.publish("tea", Said(who="cron", pid=0, text="still here"))
            assert {peer.heard().text for peer in left} == {"still here"}
            workers.process.send_signal(signal.SIGTERM)
            assert {peer.closed() for peer in left} == {1012}
            assert workers.process.wait(PATIENCE) in (0, -signal.SIGTERM)
        assert workers.log == ""


@pytest.fixture
def anyio_backend() -> str:
    """The client of Redis knows asyncio only."""
    return "asyncio"


async def test_an_application_begins_without_its_engine(tmp_path: Path) -> None:
    """If so configured: who joins before is told that it is away; when it is there, all is as it ever was."""
    server = RedisServer(valkey_binary(), tmp_path / "valkey")
    app = App(engine=RedisEngine(server.url, required=False, timeout=0.3))
    states: list[EngineState] = []
    is_up = anyio.Event()

    @app.groups.on_state
    def note(state: EngineState) -> None:
        states.append(state)
        if state is EngineState.UP:
            is_up.set()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        try:
            await session.identify("ann")
        except EngineDownError:
            await session.close(1013)
        async for _ in session:
            pass

    try:
        async with AsyncTestClient(app) as client:
            assert app.groups.state is EngineState.DOWN
            async with client.connect("/") as peer:
                await peer.expect_closed(1013)
            await anyio.to_thread.run_sync(server.start)
            with anyio.fail_after(PATIENCE):
                await is_up.wait()
            async with client.connect("/") as peer:
                await peer.expect_nothing()
                await app.groups.publish("user:ann", Said(who="bob", pid=0, text="hi"))
                assert (await peer.expect(Said)).text == "hi"
                await app.groups.disconnect("user:ann", 4001)
                await peer.expect_closed(4001)
        assert states[-1] is EngineState.UP
    finally:
        server.kill()
