"""Two real workers of one application over a real engine, for what only processes can show."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.groups.engines.nats_server import NatsServer
from tests.groups.engines.servers import RedisServer, Server, free_port, valkey_binary
from tests.integration.several import WHERE

ENGINES: dict[str, Callable[[Path], RedisServer | NatsServer]] = {
    "redis": lambda folder: RedisServer(valkey_binary(), folder / "valkey"),
    "nats": lambda folder: NatsServer(folder / "nats"),
}


class Scene(NamedTuple):
    """Two workers of `several.app`, and where its groups are."""

    engine: RedisServer | NatsServer
    one: Server
    two: Server


@contextmanager
def two_workers(engine: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """All of it is running; what else the workers have to know is in the environment already."""
    server = ENGINES[engine](folder)
    monkeypatch.setenv(WHERE, server.url)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)]))
    scene = Scene(server, _worker(folder / "one"), _worker(folder / "two"))
    try:
        for each in scene:
            each.start()
        yield scene
    finally:
        for each in reversed(scene):
            each.kill()


def _worker(folder: Path) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.integration.several:app", "--port", str(port)]
    return Server([*command, "--log-level", "warning"], folder, port)
