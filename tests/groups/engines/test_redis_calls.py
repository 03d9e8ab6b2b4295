"""Commands of many callers over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha1
from secrets import token_hex
from typing import Any

import anyio
import pytest
from redis.asyncio import ConnectionPool
from redis.exceptions import ReadOnlyError, ResponseError

from wscontrollers.groups.engines.redis_calls import Calls, end
from wscontrollers.groups.engines.redis_scripts import RENEW, Script

from .cable import Cable
from .servers import RedisServer


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


@asynccontextmanager
async def opened(port: int, *, timeout: float = 1.0, demoted: Any = None) -> AsyncIterator[Calls]:  # noqa: ASYNC109
    """Calls to a port."""
    calls = Calls(
        ConnectionPool(host="127.0.0.1", port=port, protocol=3, socket_timeout=None), timeout, demoted or (lambda: None)
    )
    calls.start()
    try:
        yield calls
    finally:
        await calls.stop()


async def test_each_caller_has_its_own_answer(valkey: RedisServer) -> None:
    """Many at once, in the order in which they asked, over one connection."""
    key = token_hex(4)
    async with opened(valkey.port) as calls:
        answers = await asyncio.gather(*(calls.call("INCR", key) for _ in range(1000)))
        assert answers == list(range(1, 1001))
        first, second = await asyncio.gather(calls.call("CLIENT ID"), calls.call("CLIENT ID"))
        assert first == second


async def test_a_refusal_is_raised_where_it_was_asked(valkey: RedisServer) -> None:
    """The calls around it have their answers."""
    async with opened(valkey.port) as calls:
        first, refused, last = await asyncio.gather(
            calls.call("ECHO", "1"), calls.call("NONSENSE"), calls.call("ECHO", "2"), return_exceptions=True
        )
        assert (first, last) == (b"1", b"2")
        assert isinstance(refused, ResponseError)


async def test_a_caller_gives_up(valkey: RedisServer) -> None:
    """Those beside it, and those after it, have their own answers; the connection stays."""
    async with opened(valkey.port) as calls:
        connection = await calls.call("CLIENT ID")
        for pauses in range(6):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(calls.call, "ECHO", "given up")
                beside = asyncio.create_task(calls.call("ECHO", "beside"))
                for _ in range(pauses):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            assert await beside == b"beside"
            assert await calls.call("ECHO", "after") == b"after"
        assert await calls.call("CLIENT ID") == connection


async def test_no_answer_in_time(valkey: RedisServer) -> None:
    """Each caller is told within its own time-out, and a late answer is nobody's."""
    async with Cable(valkey.port) as cable, opened(cable.port, timeout=0.2) as calls:
        await calls.call("PING")
        cable.freeze()
        results = await asyncio.gather(*(calls.call("ECHO", f"{number}") for number in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [TimeoutError] * 3
        await cable.snap()
        for _ in range(3):
            try:
                assert await calls.call("ECHO", "mine") == b"mine"
            except (TimeoutError, ConnectionError):
                continue


async def test_a_script_that_the_server_forgot(valkey: RedisServer) -> None:
    """It is sent with the call."""
    async with opened(valkey.port) as calls:
        await calls.call("SCRIPT FLUSH")
        assert await calls.run(RENEW, (token_hex(4).encode(),), "node", 1000) == 1


async def test_a_server_that_became_a_replica(valkey: RedisServer) -> None:
    """It is told, and the next call goes over a new connection, wherever that leads."""
    told: list[int] = []
    async with opened(valkey.port, demoted=lambda: told.append(1)) as calls:
        before = await calls.call("CLIENT ID")
        with pytest.raises(ReadOnlyError):
            await calls.call("EVAL", "return redis.error_reply('READONLY you are wrong here')", 0)
        assert told == [1]
        assert await calls.call("CLIENT ID") != before


async def test_calls_that_end(valkey: RedisServer) -> None:
    """Whoever waits is told."""
    async with Cable(valkey.port) as cable, opened(cable.port) as calls:
        await calls.call("PING")
        cable.freeze()
        waiting = asyncio.create_task(calls.call("PING"))
        await anyio.lowlevel.checkpoint()
        await calls.stop()
        with pytest.raises(ConnectionError, match="it was closed"):
            await waiting


async def test_a_task_that_swallows_its_end() -> None:
    """It is ended all the same."""

    async def stubborn() -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await anyio.lowlevel.checkpoint()
    await end(task)
    assert task.done()
    await end(None)


async def test_a_script_that_the_server_forgot_keeps_its_place(valkey: RedisServer) -> None:
    """What one caller asks is done in its order, though it waits for nothing, whenever the server forgets its scripts."""
    script = Script(text := b"return redis.call('INCR', KEYS[1])", sha1(text, usedforsecurity=False).hexdigest().encode())
    key = token_hex(4).encode()
    async with opened(valkey.port) as calls:
        tasks: list[asyncio.Task[Any]] = []
        for number in range(500):
            tasks.append(asyncio.create_task(calls.run(script, (key,))))
            if not number % 3:
                await asyncio.sleep(0)
            if not number % 50:
                tasks.append(asyncio.create_task(calls.call("SCRIPT FLUSH")))
        answers = await asyncio.gather(*tasks)
        assert [answer for answer in answers if type(answer) is int] == list(range(1, 501))
