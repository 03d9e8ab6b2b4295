"""Presence of workers that are processes, over a real server."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.groups.engines.servers import RedisServer, Server, free_port, valkey_binary
from tests.groups.presence.served import LEASE
from tests.groups.presence.workers import who

BOUND = LEASE + LEASE / 3
SLACK = 3.0
"""Seconds that a busy machine may need beyond it."""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Server]]:
    """Two workers of one application."""
    redis = RedisServer(valkey_binary(), tmp_path / "valkey")
    monkeypatch.setenv("REDIS_URL", redis.url)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    running = [redis]
    try:
        redis.start()
        workers = [worker(tmp_path / f"worker-{n}") for n in range(2)]
        for each in workers:
            running.append(each)  # type: ignore[arg-type]
            each.start()
        yield workers
    finally:
        for each in reversed(running):
            each.kill()


def worker(folder: Path) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.groups.presence.served:app", "--port", str(port)]
    return Server(["/usr/bin/env", "-C", str(Path(__file__).parents[3]), *command], folder, port)


def member(worker: Server, name: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{worker.port}/{name}")


def heard(session: ClientConnection, seconds: float = SLACK) -> tuple[Any, Any]:
    """Who joined and who left, by the next frame."""
    frame = json.loads(session.recv(timeout=seconds))
    assert (frame.pop("type"), frame.pop("group")) == ("presence", "tea")
    return frame["joined"], frame["left"]


@pytest.mark.timeout(120)
def test_a_killed_worker_and_one_that_was_stopped(workers: list[Server]) -> None:
    """Its members leave within a lease and a beat, and not sooner; if it goes on, they are there again."""
    one, two = workers
    with member(one, "Ann") as ann:
        assert heard(ann) == ([who("Ann")], [])
        with member(two, "Bob") as bob:
            assert heard(ann) == ([who("Bob")], [])
            assert heard(bob) == ([who("Ann"), who("Bob")], [])
            two.pause()
            begin = time.monotonic()
            assert heard(ann, BOUND + SLACK) == ([], [who("Bob")])
            assert time.monotonic() - begin > LEASE / 2
            two.go_on()
            assert heard(ann, BOUND + SLACK) == ([who("Bob")], [])
            two.kill()
            begin = time.monotonic()
            assert heard(ann, BOUND + SLACK) == ([], [who("Bob")])
            assert time.monotonic() - begin > LEASE / 2
        two.start()
        with member(two, "Eve") as eve:
            assert heard(eve) == ([who("Ann"), who("Eve")], [])
            assert heard(ann) == ([who("Eve")], [])
