"""The scripts, on real servers: what they leave behind, and what they make of what they find."""

from __future__ import annotations

from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any

import pytest
from redis.asyncio import Redis

from wscontrollers.groups.engines.engine import History, Position
from wscontrollers.groups.engines.redis import RedisEngine
from wscontrollers.groups.engines.redis_scripts import PUBLISH, arrival, position

from .listening import connected
from .servers import RedisServer


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


@pytest.fixture(params=["valkey", "old_redis"])
def server(request: pytest.FixtureRequest) -> RedisServer:
    """Each version."""
    found: RedisServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def prefix() -> str:
    """Keys of a test's own."""
    return token_hex(4)


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Any]:
    """redis-py, to look at what is there."""
    async with Redis.from_url(server.url) as client:
        yield client


async def test_the_numbering_of_a_channel_that_nobody_uses_is_forgotten(server: RedisServer, prefix: str, redis: Any) -> None:
    """It has a time to live, which publishing and subscribing renew when half of it is over."""
    async with connected(RedisEngine(server.url, prefix=prefix, forget_after=1000)) as (connection, _):
        key = f"{prefix}{{:tea}}"
        await connection.publish("tea", b"1")
        assert 990 < await redis.ttl(key) <= 1000
        for use in (lambda: connection.publish("tea", b"2"), lambda: connection.subscribe("tea")):
            await redis.expire(key, 600)
            await use()
            assert await redis.ttl(key) <= 600
            await redis.expire(key, 400)
            await use()
            assert 990 < await redis.ttl(key) <= 1000
        assert await redis.keys(f"{prefix}*") == [key.encode()]


async def test_a_forgotten_channel_begins_another_epoch(server: RedisServer, prefix: str, redis: Any) -> None:
    """Whatever goes, goes together: what is left of a channel that lost its numbering is of no use."""
    async with connected(RedisEngine(server.url, prefix=prefix)) as (connection, _):
        old = await connection.publish("tea", b"1", History())
        await redis.delete(f"{prefix}{{:tea}}")
        new = await connection.publish("tea", b"2", History())
        assert new.offset == 1
        assert new.epoch != old.epoch
        assert [data for _, data in (await connection.read("tea")).entries] == [b"2"]
        assert not (await connection.read("tea", old)).is_complete


async def test_what_is_kept_vanishes_with_its_age(server: RedisServer, prefix: str, redis: Any) -> None:
    """The stream lives one to two times its age, and its numbering longer; without an age both stay."""
    async with connected(RedisEngine(server.url, prefix=prefix, forget_after=10)) as (connection, _):
        numbering, stream = f"{prefix}{{:tea}}", f"{prefix}{{:tea}}s"
        await connection.publish("tea", b"1", History(age=100))
        assert 100 < await redis.ttl(stream) <= 200 <= await redis.ttl(numbering)
        await redis.expire(stream, 99)
        await connection.publish("tea", b"2", History(age=100))
        assert 190 < await redis.ttl(stream) <= 200
        await connection.publish("tea", b"3")
        assert await redis.ttl(numbering) >= 200
        await connection.publish("tea", b"4", History(age=None))
        assert await redis.ttl(stream) == await redis.ttl(numbering) == -1
        await connection.publish("tea", b"5", History(age=100))
        assert 190 < await redis.ttl(stream) <= 200 <= await redis.ttl(numbering)


async def test_a_busy_channel_forgets_what_is_too_old(server: RedisServer, prefix: str, redis: Any) -> None:
    """The room that it takes is bounded by age too, not by its size alone."""
    async with connected(RedisEngine(server.url, prefix=prefix)) as (connection, _):
        for number in range(200):
            await connection.publish("tea", b"%d" % number, History(1000, age=0.05))
        while await redis.xlen(f"{prefix}{{:tea}}s") > 150:
            await connection.publish("tea", b"more", History(1000, age=0.05))
        last = await connection.publish("tea", b"last", History(1000, age=60))
        assert (last.offset, b"last") in (await connection.read("tea")).entries


async def test_a_server_forgets_its_scripts(server: RedisServer, prefix: str, redis: Any) -> None:
    """Then they are sent with the call."""
    async with connected(RedisEngine(server.url, prefix=prefix)) as (connection, heard):
        await redis.script_flush()
        await connection.subscribe("tea")
        await redis.script_flush()
        place = await connection.publish("tea", b"1")
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[0].position == place
        assert heard.states == []


async def test_another_run_of_the_server_is_another_epoch(server: RedisServer, prefix: str, redis: Any) -> None:
    """It may have lost the last messages, and would give their offsets again; what it still has can be read."""
    async with connected(RedisEngine(server.url, prefix=prefix)) as (connection, _):
        old = await connection.publish("tea", b"1", History())
        await redis.hset(f"{prefix}{{:tea}}", "r", "another run")
        page = await connection.read("tea", old)
        assert (list(page.entries), page.is_complete) == ([], False)
        assert page.top.epoch != old.epoch
        assert [data for _, data in (await connection.read("tea")).entries] == [b"1"]
        new = await connection.publish("tea", b"2", History())
        assert new == Position(page.top.epoch, 2)
        assert (await connection.read("tea", page.top)).is_complete


async def test_calls_are_one_command(server: RedisServer, prefix: str, redis: Any) -> None:
    """Publishing is one call of a script that the server knows by its name."""
    assert await redis.script_load(PUBLISH.text) == PUBLISH.digest.decode()


def test_places() -> None:
    """As the scripts write them, with any data behind."""
    assert position(b"abc 12") == Position("abc", 12)
    found = arrival("tea", b"abc 12\nany\n data")
    assert (found.channel, found.data, found.position, found.previous) == ("tea", b"any\n data", Position("abc", 12), 11)
