"""One subscribed connection to a Redis, from its beginning to its end.

It is redis-py's, without its reconnecting: that says nothing of what was lost meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError, ResponseError

from .redis_calls import Word
from .redis_questions import Answered, Questions
from .redis_scripts import PLACE
from .redis_subscriptions import Keys, Subscriptions

_TURN = 64
"""Messages after which others have their turn."""
_TICKS = 4
"""Looks in one time-out. They are counted, and not the time: where the event loop stood still, the server is not to blame."""


class Verbs(NamedTuple):
    """How a kind of server is spoken to."""

    subscribe: str
    unsubscribe: str


class Wire:
    """Subscribes, asks where channels stand, and takes what the server says.

    Args:
        connection: One of redis-py's, connected.
        verbs: The commands that subscribe.
        subscriptions: What messages are told to.
        moved: Called when the server gave channels away.
        timeout: Seconds after which an answer does not come any more.
        seconds: How long the numbering of a channel lives without being used.
    """

    def __init__(
        self,
        connection: Any,
        verbs: Verbs,
        subscriptions: Subscriptions,
        moved: Callable[[], None],
        timeout: float,
        seconds: int,
    ) -> None:
        self._connection = connection
        self._verbs = verbs
        self._subscriptions = subscriptions
        self._moved = moved
        self._timeout = timeout
        self._questions = Questions(seconds)
        self._ending: list[bytes] = []
        self._outgoing: list[tuple[Word, ...]] = []
        self._news = asyncio.Event()
        self._silence = 0
        self._is_loading = False
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ask(self, keys: Keys, answered: Answered) -> None:
        """Subscribe to a channel, and ask where it stands then."""
        self._send((self._verbs.subscribe, keys[0]), self._questions.add(keys, answered))

    def unsubscribe(self, key: bytes) -> None:
        """End a subscription."""
        self._ending.append(key)
        self._send((self._verbs.unsubscribe, key))

    def drop(self, error: Exception) -> None:
        """Give it up: `serve` raises this."""
        if not self._broken.done():
            self._broken.set_exception(error)

    def fail(self, error: Exception) -> None:
        """Tell all who wait for an answer that none comes."""
        self._questions.fail(error)

    async def serve(self) -> None:
        """Work until it breaks.

        Raises:
            RedisError: redis-py's: it broke.
            OSError: It broke, or the server says nothing any more.
        """
        tasks = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._watch()),
            self._broken,
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # one that breaks breaks others; the first says why

    def _send(self, *commands: tuple[Word, ...]) -> None:
        self._outgoing += commands
        self._news.set()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            commands, self._outgoing = self._outgoing, []
            if commands:
                await self._connection.send_packed_command(self._connection.pack_commands(commands))

    async def _watch(self) -> None:
        """Notice a server that says nothing any more, also where nobody asks for anything."""
        while True:
            await asyncio.sleep(self._timeout / _TICKS)
            self._silence += 1
            if self._silence == _TICKS:
                self._send(("PING",))
            if self._silence >= 2 * _TICKS:
                raise TimeoutError

    async def _read(self) -> None:
        read = self._connection.read_response
        for number in count(1):
            try:
                reply = await read(timeout=math.inf, disconnect_on_error=False, push_request=True)
            except NoScriptError:
                self._load()
            except ResponseError as error:
                self._questions.fail(error)  # it does not say whose it is
            else:
                self._take(reply)
            self._silence = 0
            if not number % _TURN:
                await asyncio.sleep(0)

    def _take(self, reply: Any) -> None:
        if type(reply) is not bytes:
            kind, key, payload = reply
            if kind in (b"message", b"smessage"):
                self._subscriptions.arrived(key, payload)
            elif kind == b"place":
                self._questions.answer(key, payload)
            elif kind in (b"unsubscribe", b"sunsubscribe"):
                if key in self._ending:
                    self._ending.remove(key)
                else:
                    self._moved()
        elif reply == PLACE.digest and self._is_loading:
            self._is_loading = False
            self._send(*self._questions.again())

    def _load(self) -> None:
        """The server forgot the script: it is told again, and all that waits for it is asked again when that is done."""
        if not self._is_loading:
            self._is_loading = True
            self._send(("SCRIPT LOAD", PLACE.text))
