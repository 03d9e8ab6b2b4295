"""What a server says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError  # noqa: A004

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.redis_greeting import Facts, greeted, require_master
from wscontrollers.groups.engines.redis_scripts import PLACE

from .cable import Cable
from .servers import RedisCluster, RedisServer, free_port


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


async def facts(port: int) -> Facts:
    connection: Any = Connection(host="127.0.0.1", port=port, protocol=3)
    try:
        return await greeted(connection, 0.5)
    finally:
        await connection.disconnect()


async def test_facts(valkey: RedisServer, old_redis: RedisServer, cluster: RedisCluster) -> None:
    """Its version, as Redis counts it; whether it is a master, and one of a cluster. It knows the script then."""
    found = await facts(valkey.port)
    assert found.version >= (7, 2)
    assert found[1:] == (True, False)
    assert ":1" in valkey.ask(f"SCRIPT EXISTS {PLACE.digest.decode()}")
    assert (await facts(old_redis.port)).version[:2] == (6, 2)
    assert (await facts(cluster.masters[0].port)).is_cluster


async def test_nobody_is_there(valkey: RedisServer) -> None:
    """redis-py's error, or a time-out."""
    with pytest.raises(ConnectionError):
        await facts(free_port())
    async with Cable(valkey.port) as cable:
        cable.freeze()
        with pytest.raises(TimeoutError):
            await facts(cable.port)


def test_a_replica() -> None:
    """It is not written to."""
    require_master("redis at host:1", Facts((7,), True, False))
    with pytest.raises(
        EngineDownError, match=r"redis at host:1: it is a replica\. Fix: wait for it, or let the URL lead to the master"
    ):
        require_master("redis at host:1", Facts((7,), False, False))
