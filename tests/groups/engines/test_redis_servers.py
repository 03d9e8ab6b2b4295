"""The servers of an engine: one, or whichever is the master."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.engine import EngineState
from wscontrollers.groups.engines.redis import RedisEngine

from .listening import connected, eventually
from .servers import RedisServer, valkey_binary


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


async def test_a_replica_is_not_used(valkey: RedisServer, tmp_path: Path) -> None:
    """Nobody can publish to it: the error says so."""
    replica = RedisServer(valkey_binary(), tmp_path / "data", "--replicaof", "127.0.0.1", str(valkey.port))
    replica.start()
    try:

        async def is_in_sync() -> bool:
            return "master_link_status:up" in replica.ask("INFO replication")

        await eventually(is_in_sync)
        with pytest.raises(EngineDownError, match=r"it is a replica\. Fix: .*let the URL lead to the master"):
            async with connected(RedisEngine(replica.url)):
                pass
    finally:
        replica.kill()


async def test_a_master_becomes_a_replica_under_a_connection(valkey: RedisServer, tmp_path: Path) -> None:
    """The engine is down as soon as it is told so, and up when that is over."""
    server = RedisServer(valkey_binary(), tmp_path / "data")
    server.start()
    try:
        async with connected(RedisEngine(server.url)) as (connection, heard):
            await connection.subscribe("tea")
            await anyio.to_thread.run_sync(server.ask, f"REPLICAOF 127.0.0.1 {valkey.port}")
            with pytest.raises(EngineDownError, match=r"READONLY|replica"):
                await connection.publish("tea", b"1")
            await heard.until_state(EngineState.DOWN)
            await anyio.to_thread.run_sync(server.ask, "REPLICAOF NO ONE")
            await heard.until_state(EngineState.UP)
            await heard.until(lambda: heard.resumptions)
            await connection.publish("tea", b"2")
            await heard.until(lambda: heard.data("tea") == [b"2"])
    finally:
        server.kill()
