"""Groups over a cluster of Redis servers, and what happens when its nodes change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from redis.crc import key_slot

from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups.engines.engine import EngineState, History
from wscontrollers.groups.engines.redis import RedisEngine

from .listening import connected
from .servers import RedisCluster, RedisServer, old_redis_binary, valkey_binary


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


@pytest.fixture
def shaky_cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """Three masters with a replica each, which a test may harm."""
    found = RedisCluster(valkey_binary(), tmp_path, replicas=1)
    try:
        found.start()
        yield found
    finally:
        found.kill()


def channels_of(cluster: RedisCluster) -> list[str]:
    """A channel for each master, in their order."""
    step = -(-16384 // len(cluster.masters))
    found: dict[int, str] = {}
    for number in range(1000):
        found.setdefault(key_slot(b"wsc{:%d}" % number) // step, str(number))
    return [found[number] for number in range(len(cluster.masters))]


async def test_a_master_is_killed_and_its_replica_takes_over(shaky_cluster: RedisCluster) -> None:
    """Degraded, then up; the other masters' channels go on all the while, and the lost one's are there again in another epoch."""
    channels = channels_of(shaky_cluster)
    async with connected(RedisEngine(shaky_cluster.url, timeout=1.0)) as (connection, heard):
        before = {channel: await connection.subscribe(channel) for channel in channels}
        for channel in channels:
            await connection.publish(channel, b"before", History())
        await heard.until(lambda: len(heard.arrivals) == 3)
        await anyio.to_thread.run_sync(shaky_cluster.masters[1].kill)
        await heard.until_state(EngineState.DEGRADED)
        with pytest.raises(EngineDownError, match="Fix: "):
            await connection.publish(channels[1], b"lost")
        await connection.publish(channels[0], b"meanwhile")
        await heard.until(lambda: heard.data(channels[0])[-1:] == [b"meanwhile"])
        await heard.until_state(EngineState.UP, 20)
        assert [state for state, _ in heard.states] == [EngineState.DEGRADED, EngineState.UP]
        assert {channel for channel, _ in heard.resumptions} == {channels[1]}
        position = heard.resumptions[-1][1]
        assert position.epoch != before[channels[1]].epoch
        for channel in channels:
            await connection.publish(channel, b"after", History())
        await heard.until(lambda: all(heard.data(channel)[-1:] == [b"after"] for channel in channels))


async def test_a_slot_moves_to_another_master(cluster: RedisCluster) -> None:
    """Publishing follows it, and its subscriptions do."""
    channel, *_ = channels_of(cluster)
    slot = key_slot(b"wsc{:%s}" % channel.encode())
    giving, taking = cluster.masters[:2]
    async with connected(RedisEngine(cluster.url, timeout=2.0)) as (connection, heard):
        await connection.subscribe(channel)
        new_owner = taking.ask("CLUSTER MYID").split("\r\n")[1]
        for node in (taking, giving, cluster.masters[2]):
            node.ask(f"DEL wsc{{:{channel}}} wsc{{:{channel}}}s")
            assert node.ask(f"CLUSTER SETSLOT {slot} NODE {new_owner}").startswith("+OK")
        await heard.until(lambda: heard.resumptions)
        place = await connection.publish(channel, b"after")
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[-1].position == place
        assert connection.state is EngineState.UP


async def test_all_nodes_go_away_and_come_back(cluster: RedisCluster) -> None:
    """Down, then up again, with all subscriptions."""
    channels = channels_of(cluster)
    async with connected(RedisEngine(cluster.url, timeout=0.5)) as (connection, heard):
        for channel in channels:
            await connection.subscribe(channel)
        for node in cluster.nodes:
            node.pause()
        try:
            await heard.until_state(EngineState.DOWN)
            with pytest.raises(EngineDownError):
                await connection.publish(channels[0], b"lost")
        finally:
            for node in cluster.nodes:
                node.go_on()
        await heard.until_state(EngineState.UP, 20)
        for channel in channels:
            await connection.publish(channel, b"after")
        await heard.until(lambda: all(heard.data(channel)[-1:] == [b"after"] for channel in channels))


async def test_a_cluster_that_is_not_required_comes_later(tmp_path: Path) -> None:
    """The engine begins down, and is up by itself when the cluster is there."""
    cluster = RedisCluster(valkey_binary(), tmp_path)
    try:
        async with connected(RedisEngine(cluster.url, timeout=0.5, required=False)) as (connection, heard):
            assert [state for state, _ in heard.states] == [EngineState.DOWN]
            with pytest.raises(EngineDownError):
                await connection.subscribe("tea")
            await anyio.to_thread.run_sync(cluster.start)
            await heard.until_state(EngineState.UP, 20)
            await heard.until(lambda: heard.resumptions)
            await connection.publish("tea", b"heard")
            await heard.until(lambda: heard.arrivals)
    finally:
        cluster.kill()


async def test_a_cluster_before_version_7(tmp_path: Path) -> None:
    """It has no sharded pub/sub: the error says so, and what to do."""
    server = RedisServer(old_redis_binary(), tmp_path / "data", "--cluster-enabled", "yes")
    server.start()
    try:
        with pytest.raises(EngineError, match=r"Redis 6\.2\.\d+ has no sharded pub/sub.*Fix: use Redis 7"):
            async with connected(RedisEngine(f"redis+cluster://127.0.0.1:{server.port}")):
                pass
        with pytest.raises(EngineError, match=r"it is one of a cluster.*Fix: use the scheme redis\+cluster"):
            async with connected(RedisEngine(server.url)):
                pass
    finally:
        server.kill()


async def test_a_server_that_is_no_cluster(valkey: RedisServer) -> None:
    """The error says so, and what to do."""
    with pytest.raises(EngineError, match=r"it is no cluster.*Fix: use the scheme redis://"):
        async with connected(RedisEngine(valkey.url, cluster=True)):
            pass
