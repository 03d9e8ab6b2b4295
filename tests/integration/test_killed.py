"""A worker that is killed, with the clients that it had: two real processes over one Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.groups.engines.servers import Server
from tests.integration.scenes import Scene, two_workers
from tests.integration.several import LEASE, tea
from wscontrollers.groups import Publisher

SECONDS = 2.0
"""The lease."""
BOUND = SECONDS + SECONDS / 3
SLACK = 5.0
"""Seconds that a busy machine may need beyond it."""


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two workers over Redis, with a short lease."""
    monkeypatch.setenv(LEASE, str(SECONDS))
    with two_workers("redis", tmp_path, monkeypatch) as scene:
        yield scene


class Client:
    """What a page does: it keeps the last mark and a list of who is there, and comes back with the mark.

    Args:
        who: Whose it is.
        stack: What ends its sessions.

    Attributes:
        texts: What it heard, with all of its sessions together.
        people: Who is there, with the process that each is in.
        left: Everybody of whom it was told that he left.
        recovered: Whether each time that it came back it was told that it gets everything.
    """

    def __init__(self, who: str, stack: ExitStack) -> None:
        self.who = who
        self._stack = stack
        self.texts: list[str] = []
        self.people: dict[str, int] = {}
        self.left: list[str] = []
        self.recovered: list[bool] = []
        self._mark: str | None = None
        self._session: ClientConnection | None = None

    def come(self, worker: Server) -> None:
        """Connect; on return it is in the group."""
        query = "" if self._mark is None else f"?recover={self._mark}"
        self.people.clear()
        session = connect(f"ws://127.0.0.1:{worker.port}/{self.who}{query}", compression=None)
        self._session = self._stack.enter_context(session)
        self.until(lambda: self.who in self.people)

    def say(self, *texts: str) -> None:
        """Have them published by its worker."""
        assert self._session is not None
        for text in texts:
            self._session.send(json.dumps({"type": "say", "text": text}))

    def until(self, holds: Callable[[], bool], seconds: float = 10.0) -> None:
        """Take what comes until something holds."""
        assert self._session is not None
        until = time.monotonic() + seconds
        while not holds():
            self._take(json.loads(self._session.recv(timeout=until - time.monotonic())))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "said":
            self.texts.append(frame["text"])
            self._mark = frame["mark"]
        elif frame["type"] == "recovered":
            self.recovered.append(frame["complete"])
        elif frame["type"] == "presence":
            self.people.update((each["user"], each["info"]["pid"]) for each in frame["joined"])
            for each in frame["left"]:
                self.left.append(each["user"])
                del self.people[each["user"]]
        else:
            assert frame["type"] == "hello"


@pytest.mark.timeout(120)
def test_a_killed_worker_costs_its_clients_nothing_but_the_way_to_another(scene: Scene) -> None:
    """Who comes back there has everything once and in order, and never left; who does not has left within a lease and a beat."""
    with ExitStack() as stack:
        ann, bob, eve = (Client(name, stack) for name in ("ann", "bob", "eve"))
        for client, at in ((ann, scene.one), (bob, scene.two), (eve, scene.two)):
            client.come(at)
        ann.until(lambda: len(ann.people) == 3)
        before = dict(ann.people)
        assert before["bob"] == before["eve"] != before["ann"]

        ann.say(*"01234")
        bob.until(lambda: bob.texts == list("012"))  # and what else was on its way to him is lost with the worker
        eve.until(lambda: eve.texts == list("01234"))
        bob.say("bob")  # taken or not
        scene.two.kill()
        begin = time.monotonic()

        ann.say(*"56789")
        ann.until(lambda: "9" in ann.texts)
        bob.come(scene.one)
        ann.until(lambda: "eve" in ann.left, BOUND + SLACK)
        assert time.monotonic() - begin > SECONDS / 3  # it was the lease that ended
        bob.say("again")
        for client in (ann, bob):
            client.until(lambda client=client: "again" in client.texts)  # type: ignore[misc]
            assert client.left == ["eve"]
            assert client.people == {"ann": before["ann"], "bob": before["ann"]}
        assert bob.recovered == [True]
        assert bob.texts == ann.texts
        assert [text for text in ann.texts if text != "bob"] == [*"0123456789", "again"]
        with Publisher(scene.engine.url, groups=[tea]) as groups:
            assert [kept.message.text for kept in groups.history("tea")] == ann.texts
            assert [each.user for each in groups.members("tea")] == ["ann", "bob"]
