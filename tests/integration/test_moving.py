"""A session that its client takes with it from one worker to another: real processes over a real engine."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.groups.engines.servers import Server
from tests.integration.scenes import ENGINES, Scene, two_workers
from tests.integration.several import Said, walkers
from wscontrollers.groups import Publisher

pytestmark = pytest.mark.timeout(120)


class Walker:
    """A client: it counts what it receives, and keeps its ticket.

    Args:
        stack: What ends its connections.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.ticket = ""
        self.received = 0
        self.notes: list[dict[str, Any]] = []
        self._session: ClientConnection | None = None

    def come(self, worker: Server) -> str:
        """Connect; what the first frame is."""
        query = f"?resume={self.ticket}&received={self.received}" if self.ticket else ""
        connecting = connect(f"ws://127.0.0.1:{worker.port}/walk/ann{query}", compression=None)
        self._session = self._stack.enter_context(connecting)
        self._note(json.loads(self._session.recv(timeout=10)))
        return str(self.notes[-1]["type"])

    def _note(self, frame: dict[str, Any]) -> None:
        self.notes.append(frame)
        self.ticket = frame["ticket"]
        if frame["type"] == "resumed":
            self.received += frame["missed"]
        else:
            self.received = 0

    def hear(self) -> dict[str, Any]:
        """The next frame."""
        assert self._session is not None
        frame: dict[str, Any] = json.loads(self._session.recv(timeout=10))
        self.received += 1
        return frame

    def say(self, text: str) -> dict[str, Any]:
        """Say something and hear the answer."""
        assert self._session is not None
        self._session.send(json.dumps({"type": "say", "text": text}))
        return self.hear()

    def lose(self) -> None:
        """Break the connection."""
        assert self._session is not None
        self._session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._session.socket.shutdown(socket.SHUT_RDWR)

    def closed(self) -> int | None:
        """Wait for the close; its code."""
        assert self._session is not None
        try:
            while True:
                self._session.recv(timeout=10)
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code


@pytest.fixture
def walker() -> Iterator[Walker]:
    """Somebody with a client."""
    with ExitStack() as stack:
        yield Walker(stack)


@pytest.fixture(params=ENGINES)
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two workers over each engine that carries sessions."""
    with two_workers(request.param, tmp_path, monkeypatch) as scene:
        yield scene


def test_a_session_goes_with_its_client(scene: Scene, walker: Walker) -> None:
    """To another worker and back; what was published in its groups meanwhile is heard once and in order."""
    with Publisher(scene.engine.url, groups=[walkers]) as groups:
        assert walker.come(scene.one) == "resumable"
        first = walker.hear()["pid"]
        assert walker.say("a")["pid"] == first
        walker.lose()
        groups.publish("walkers", Said(who="bob", pid=0, text="b"))
        assert walker.come(scene.two) == "resumed"
        assert (walker.notes[-1]["received"], walker.notes[-1]["missed"], walker.notes[-1]["moved"]) == (1, 0, True)
        heard = [walker.hear() for _ in range(3)]
        assert [frame["text"] for frame in heard if frame["type"] == "said"] == ["b"]
        assert [frame["complete"] for frame in heard if frame["type"] == "recovered"] == [True]
        assert [frame["pid"] == first for frame in heard if frame["type"] == "hello"] == [False]
        groups.publish("walkers", Said(who="bob", pid=0, text="c"))
        assert walker.hear()["text"] == "c"
        walker.lose()
        assert walker.come(scene.one) == "resumed"
        assert {walker.hear()["type"] for _ in range(2)} == {"recovered", "hello"}
        assert walker.say("d")["pid"] == first


def test_a_worker_that_ends_leaves_its_sessions(scene: Scene, walker: Walker) -> None:
    """Their clients see 1012 and go on at another worker."""
    walker.come(scene.one)
    walker.hear()
    walker.say("a")
    scene.one.stop()
    assert walker.closed() == 1012
    assert walker.come(scene.two) == "resumed"
    assert walker.notes[-1]["moved"]


def test_a_worker_that_is_killed_takes_its_sessions_with_it(scene: Scene, walker: Walker) -> None:
    """The client is told so: it has another session."""
    walker.come(scene.one)
    walker.hear()
    scene.one.kill()
    assert walker.come(scene.two) == "resumable"
    assert walker.hear()["type"] == "hello"
