"""One connection over which a Redis tells its messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.redis_subscriptions import Keys
from wscontrollers.groups.engines.redis_wire import Verbs, Wire

from .cable import Cable
from .listening import PATIENCE
from .servers import RedisServer

VERBS = Verbs("SUBSCRIBE", "UNSUBSCRIBE")


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


class Told:
    """Notes what comes, as the subscriptions and as the owner."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self.moves = asyncio.Event()

    def arrived(self, key: bytes, payload: bytes) -> None:
        self.messages.put_nowait((key, payload))


class Asked:
    """Waits for the answers to questions."""

    def __init__(self) -> None:
        self._answers: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self.take = self._answers.put_nowait

    async def next(self) -> bytes | Exception:
        with anyio.fail_after(PATIENCE):
            return await self._answers.get()


@asynccontextmanager
async def wired(connection: Any, told: Any, seconds: float = 5.0) -> AsyncIterator[tuple[Wire, asyncio.Task[None]]]:
    """A wire, and the task that serves it."""
    wire = Wire(connection, VERBS, told, told.moves.set, seconds, 60)
    serving = asyncio.create_task(wire.serve())
    try:
        yield wire, serving
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await connection.disconnect()


async def connected(port: int) -> Connection:
    """One of redis-py's connections."""
    connection = Connection(host="127.0.0.1", port=port, protocol=3, socket_timeout=None)
    await connection.connect()
    return connection


def keys() -> Keys:
    key = b"wire{%s}" % token_hex(4).encode()
    return key, key + b"s"


async def test_it_answers_and_brings(valkey: RedisServer) -> None:
    """Where a channel stands when it is subscribed, and what is published to it then; also if the script is not known."""
    told, asked, tea = Told(), Asked(), keys()
    async with wired(await connected(valkey.port), told) as (wire, _), Redis.from_url(valkey.url) as redis:
        for place in (b"0", b"0"):
            wire.ask(tea, asked.take)
            answer = await asked.next()
            assert isinstance(answer, bytes)
            assert answer.split()[1] == place
            await redis.script_flush()
        await redis.publish(tea[0], b"hi")
        with anyio.fail_after(PATIENCE):
            assert await told.messages.get() == (tea[0], b"hi")
        wire.unsubscribe(tea[0])
        wire.ask(keys(), asked.take)
        await asked.next()
        await redis.publish(tea[0], b"unheard")
        assert told.messages.empty()
        assert not told.moves.is_set()


async def test_it_is_given_up(valkey: RedisServer) -> None:
    """With the error that was the reason, once; whoever waits is told that no answer comes."""
    told, asked = Told(), Asked()
    async with wired(await connected(valkey.port), told) as (wire, serving):
        wire.drop(EngineDownError("enough"))
        wire.drop(EngineDownError("more"))
        with pytest.raises(EngineDownError, match="enough"):
            await serving
        wire.ask(keys(), asked.take)
        failure = EngineDownError("it is gone")
        wire.fail(failure)
        assert await asked.next() is failure


async def test_a_server_that_says_nothing_any_more(valkey: RedisServer) -> None:
    """It is asked once, and given up when that is not answered either."""
    async with Cable(valkey.port) as cable, wired(await connected(cable.port), Told(), 0.2) as (wire, serving):
        asked = Asked()
        wire.ask(keys(), asked.take)
        await asked.next()
        begin = time.monotonic()
        cable.freeze()
        with pytest.raises(TimeoutError), anyio.fail_after(PATIENCE):
            await asyncio.shield(serving)
        assert time.monotonic() - begin > 0.2


async def test_a_connection_that_breaks(valkey: RedisServer) -> None:
    """What redis-py says of it is raised."""
    async with Cable(valkey.port) as cable, wired(await connected(cable.port), Told()) as (_, serving):
        await cable.cut()
        with pytest.raises((OSError, RedisError)):
            await serving


class Speaking:
    """A connection that says what a test wants."""

    def __init__(self, *replies: Any) -> None:
        self._replies = list(replies)

    async def read_response(self, **options: Any) -> Any:
        if not self._replies:
            await anyio.sleep_forever()
        return self._replies.pop(0)

    async def send_packed_command(self, command: Any) -> None:
        pass

    def pack_commands(self, commands: Any) -> Any:
        return commands

    async def disconnect(self) -> None:
        pass


async def test_a_server_that_gives_a_channel_away() -> None:
    """It ends a subscription by itself: the owner is told. What was ended from here is no news."""
    told = Told()
    async with wired(Speaking([b"sunsubscribe", b"tea", 0]), told):
        with anyio.fail_after(PATIENCE):
            await told.moves.wait()
    told, heard = Told(), [b"message", b"tea", b"behind it"]
    wire = Wire(Speaking([b"unsubscribe", b"tea", 0], heard), VERBS, told, told.moves.set, 5.0, 60)  # type: ignore[arg-type]
    wire.unsubscribe(b"tea")
    serving = asyncio.create_task(wire.serve())
    with anyio.fail_after(PATIENCE):
        await told.messages.get()
    serving.cancel()
    await asyncio.wait([serving])
    assert not told.moves.is_set()
