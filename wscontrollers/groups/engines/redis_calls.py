"""Commands to one Redis: those of all callers of a moment go out in one pipeline of redis-py's client, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError

from ...logs import logger_of
from .redis_scripts import Script

logger = logger_of("wscontrollers.groups")

Word = bytes | int | str

_AT_ONCE = 128
"""Commands in one pipeline."""


class _Call(NamedTuple):
    """A command, or the keys and arguments of a script, and where its answer goes."""

    words: tuple[Word, ...]
    answer: asyncio.Future[Any]
    script: Script | None = None


class Calls:
    """What one server is asked, over one connection of a pool: one caller's commands are done in their order.

    Args:
        pool: Where the connection comes from; it ends with the calls.
        timeout: Seconds after which an answer does not come any more.
        demoted: Called when the server says that it may not be written to.
    """

    def __init__(self, pool: ConnectionPool, timeout: float, demoted: Callable[[], None]) -> None:
        self._client: Any = Redis.from_pool(pool)
        self._timeout = timeout
        self._demoted = demoted
        self._waiting: deque[_Call] = deque()
        self._known: set[bytes] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Send no more, and let go of the connection."""
        await end(self._task)
        self._fail(list(self._waiting), ConnectionError("it was closed"))
        with suppress(RedisError, OSError):
            await self._client.aclose()

    async def run(self, script: Script, keys: tuple[bytes, ...], *arguments: Word) -> Any:
        """Run a script; see `call`."""
        return await self._asked((len(keys), *keys, *arguments), script)

    async def call(self, *words: Word) -> Any:
        """Send a command, and wait for the reply.

        Raises:
            RedisError: redis-py's: there is no connection, it broke, or the server refuses it.
            TimeoutError: Nothing came in time.
        """
        return await self._asked(words)

    async def _asked(self, words: tuple[Word, ...], script: Script | None = None) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(words, answer, script))
        self._news.set()
        async with asyncio.timeout(self._timeout):
            return await answer

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                batch = [call for call in batch if not call.answer.done()]  # the others gave up
                try:
                    async with asyncio.timeout(self._timeout):
                        await self._send(batch)
                except asyncio.CancelledError:
                    self._fail(batch, ConnectionError("it was closed"))
                    raise
                except (RedisError, OSError) as error:
                    self._known.clear()
                    self._fail(batch, error)
                except Exception as error:
                    logger.exception("engine redis: commands could not be sent")
                    self._known.clear()
                    self._fail(batch, ConnectionError(str(error)))

    async def _send(self, batch: list[_Call]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for call in batch:
            pipeline.execute_command(*self._said(call))
        replies = await pipeline.execute(raise_on_error=False)
        unknown: list[_Call] = []
        for call, reply in zip(batch, replies, strict=True):
            if isinstance(reply, Exception):
                self._known.clear()
            if isinstance(reply, ReadOnlyError):
                self._demoted()
            if call.answer.done():
                continue
            if isinstance(reply, NoScriptError):
                unknown.append(call)
            elif isinstance(reply, Exception):
                call.answer.set_exception(reply)
            else:
                call.answer.set_result(reply)
        self._waiting.extendleft(reversed(unknown))  # before those that came meanwhile, or one caller's would change places
        if any(isinstance(reply, ReadOnlyError) for reply in replies):
            await self._client.connection_pool.disconnect()

    def _said(self, call: _Call) -> tuple[Word, ...]:
        """What is sent: a script's text the first time on a connection, and then its digest."""
        script = call.script
        if script is None:
            return call.words
        if script.digest in self._known:
            return ("EVALSHA", script.digest, *call.words)
        self._known.add(script.digest)
        return ("EVAL", script.text, *call.words)

    def _fail(self, calls: list[_Call], error: Exception) -> None:
        for call in calls:
            if not call.answer.done():
                call.answer.set_exception(error)


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task until it ends: before Python 3.12 `asyncio.wait_for`, which redis-py uses, sometimes swallows it."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.05)
