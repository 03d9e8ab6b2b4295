"""What a connection to a Redis is subscribed to."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups.engines.engine import EngineState
from wscontrollers.groups.engines.redis import RedisEngine

from .listening import connected, eventually
from .servers import RedisServer, valkey_binary


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


async def subscribers(redis: Any, channel: str) -> int:
    ((_, count),) = await redis.pubsub_numsub(channel)
    return int(count)


async def test_a_subscription_that_is_given_up_is_ended(valkey: RedisServer) -> None:
    """Whoever is cancelled while it subscribes leaves nothing behind at the server."""
    prefix = token_hex(4)
    async with connected(RedisEngine(valkey.url, prefix=prefix)) as (connection, _), Redis.from_url(valkey.url) as redis:
        for pauses in range(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(connection.subscribe, "tea")
                for _ in range(pauses):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            await connection.put("space", "key", b"")  # behind it on the same connection
            assert await subscribers(redis, f"{prefix}{{:tea}}") == 0


async def test_a_cancelled_call_takes_nobody_elses_subscription(valkey: RedisServer) -> None:
    """One that is there, or that another task waits for too, stays."""
    async with connected(RedisEngine(valkey.url, prefix=token_hex(4))) as (connection, heard):
        async with anyio.create_task_group() as both, anyio.create_task_group() as one:
            both.start_soon(connection.subscribe, "tea")
            one.start_soon(connection.subscribe, "tea")
            await anyio.lowlevel.checkpoint()
            one.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.subscribe, "tea")
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await connection.publish("tea", b"1")
        await heard.until(lambda: heard.arrivals)


async def test_unsubscribe_ends_it_at_the_server(valkey: RedisServer) -> None:
    """The server sends no more of it."""
    prefix = token_hex(4)
    async with connected(RedisEngine(valkey.url, prefix=prefix)) as (connection, _), Redis.from_url(valkey.url) as redis:
        await connection.subscribe("tea")
        assert await subscribers(redis, f"{prefix}{{:tea}}") == 1
        await connection.unsubscribe("tea")
        await connection.put("space", "key", b"")
        assert await subscribers(redis, f"{prefix}{{:tea}}") == 0


async def test_a_refused_subscription_is_not_tried_again(valkey: RedisServer) -> None:
    """The caller was told; after a break only the others are there again."""
    prefix, name = token_hex(4), f"u{token_hex(4)}"
    valkey.ask(f"ACL SETUSER {name} on >secret ~* +@all resetchannels &{prefix}{{:tea}}")
    engine = RedisEngine(f"redis://{name}:secret@127.0.0.1:{valkey.port}", prefix=prefix, client_name=name)
    async with connected(engine) as (connection, heard):
        await connection.subscribe("tea")
        with pytest.raises(EngineError, match="NOPERM"):
            await connection.subscribe("milk")
        valkey.ask(f"CLIENT KILL USER {name}")
        await heard.until_state(EngineState.UP)
        assert [channel for channel, _ in heard.resumptions] == ["tea"]
    valkey.ask(f"ACL DELUSER {name}")


async def test_a_subscription_that_is_refused_after_a_break_is_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine is down, and the log says why, once, until all of its subscriptions are there again."""
    server = RedisServer(valkey_binary(), tmp_path / "data")
    server.start()
    try:
        server.ask("ACL SETUSER u on >secret ~* &* +@all")
        async with connected(RedisEngine(f"redis://u:secret@127.0.0.1:{server.port}")) as (connection, heard):
            await connection.subscribe("tea")
            server.ask("ACL SETUSER u resetchannels")  # which ends the connection too
            await heard.until_state(EngineState.DOWN)

            async def is_told() -> bool:
                return "NOPERM" in caplog.text

            await eventually(is_told)
            assert connection.state is EngineState.DOWN
            server.ask("ACL SETUSER u &*")
            await heard.until_state(EngineState.UP)
            assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
            assert [channel for channel, _ in heard.resumptions][-1] == "tea"
            assert caplog.text.count("NOPERM") == 1
    finally:
        server.kill()


async def test_a_server_that_is_busy_while_somebody_subscribes(tmp_path: Path) -> None:
    """The connection lives, and the subscription is not there: it is made when the server is ready, and told."""
    server = RedisServer(valkey_binary(), tmp_path / "data", "--busy-reply-threshold", "10")
    server.start()
    try:
        async with connected(RedisEngine(server.url, timeout=1.0)) as (connection, heard), anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, server.ask, 'EVAL "while true do end" 0')

            async def is_busy() -> bool:
                return server.ask("PING").startswith("-BUSY")

            await eventually(is_busy)
            with pytest.raises(EngineDownError, match=r"BUSY.*Fix: wait until it is ready"):
                await connection.subscribe("tea")
            server.ask("SCRIPT KILL")
            await heard.until_state(EngineState.UP)
            assert [channel for channel, _ in heard.resumptions] == ["tea"]
            await connection.publish("tea", b"1")
            await heard.until(lambda: heard.arrivals)
    finally:
        server.kill()
