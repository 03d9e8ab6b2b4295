"""The engines that the contract holds for, and the servers behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from wscontrollers.groups.engines.engine import Engine
from wscontrollers.groups.engines.memory import MemoryEngine

from .nats_server import NatsServer
from .servers import RedisCluster, RedisServer, Shaky, old_redis_binary, valkey_binary

MakeEngine = Callable[..., Engine]
"""Makes an engine of one kind; those of one test reach the same groups, those of another test others."""


SHAKY = {"valkey": "shaky_valkey", "redis-6.2": "shaky_old_redis", "nats": "shaky_nats"}


@pytest.fixture(params=SHAKY)
def shaky(request: pytest.FixtureRequest) -> Iterator[Shaky]:
    """A server of its own for each test, of each kind."""
    found: Shaky = request.getfixturevalue(SHAKY[request.param])
    yield found
    found.server.kill()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Valkey 9 for all tests that do not harm it."""
    yield from _running(valkey_binary(), tmp_path_factory.mktemp("valkey"))


@pytest.fixture(scope="session")
def old_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis 6.2, the oldest that is supported, for all tests that do not harm it."""
    yield from _running(old_redis_binary(), tmp_path_factory.mktemp("redis"))


def _running(binary: Path, folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(binary, folder, "--repl-diskless-sync-delay", "0")
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def memory_engines() -> MakeEngine:
    """The one memory engine of a test."""
    engine = MemoryEngine()
    return lambda: engine


@pytest.fixture
def valkey_engines(valkey: RedisServer) -> MakeEngine:
    """Engines on a Valkey 9."""
    return _redis_engines(valkey)


@pytest.fixture
def old_redis_engines(old_redis: RedisServer) -> MakeEngine:
    """Engines on a Redis 6.2."""
    return _redis_engines(old_redis)


def _redis_engines(server: RedisServer | RedisCluster) -> MakeEngine:
    from wscontrollers.groups.engines.redis import RedisEngine

    prefix = token_hex(4)

    def make(**options: Any) -> Engine:
        return RedisEngine(server.url, prefix=prefix, **options)

    return make


@pytest.fixture
def shaky_valkey(tmp_path: Path) -> Shaky:
    """A Valkey 9 that a test may harm."""
    return _shaky_redis(valkey_binary(), tmp_path)


@pytest.fixture
def shaky_old_redis(tmp_path: Path) -> Shaky:
    """A Redis 6.2 that a test may harm."""
    return _shaky_redis(old_redis_binary(), tmp_path)


def _shaky_redis(binary: Path, folder: Path) -> Shaky:
    from wscontrollers.groups.engines.redis import RedisEngine

    server = RedisServer(binary, folder / "data", "--requirepass", "secret")
    server.start()

    def make(port: int | None = None, **options: Any) -> Engine:
        return RedisEngine(f"redis://:secret@127.0.0.1:{port or server.port}/0", **options)

    return Shaky(server, make)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A cluster of three Valkeys for all tests that do not harm it."""
    found = RedisCluster(valkey_binary(), tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        yield found
    finally:
        found.kill()


@pytest.fixture
def cluster_engines(cluster: RedisCluster) -> MakeEngine:
    """Engines on a cluster of three Valkeys."""
    return _redis_engines(cluster)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server with JetStream for all tests that do not harm it."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def nats_engines(nats_server: NatsServer) -> MakeEngine:
    """Engines of one prefix on that server."""
    pytest.importorskip("nats", reason="nats-py is not installed here: pip install nats-py")
    from wscontrollers.groups.engines.nats import NatsEngine

    prefix = token_hex(4)
    return lambda **options: NatsEngine(nats_server.url, prefix=prefix, **options)


@pytest.fixture
def shaky_nats(tmp_path: Path) -> Shaky:
    """A NATS server with JetStream that a test may harm."""
    pytest.importorskip("nats", reason="nats-py is not installed here: pip install nats-py")
    from wscontrollers.groups.engines.nats import NatsEngine

    server = NatsServer(tmp_path / "data", more='authorization { user: "wsc", password: "secret" }')
    server.start()

    def make(port: int | None = None, **options: Any) -> Engine:
        return NatsEngine(f"nats://wsc:secret@127.0.0.1:{port or server.port}", **options)

    return Shaky(server, make)
