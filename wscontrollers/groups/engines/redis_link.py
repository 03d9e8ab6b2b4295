"""The way over which a Redis tells its messages: one connection after the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from redis.exceptions import RedisError

from ...exceptions import EngineDownError, EngineError
from ...logs import logger_of
from .redis_calls import end
from .redis_faults import is_passing, told
from .redis_greeting import Facts, greeted
from .redis_questions import Answered
from .redis_subscriptions import Keys, Subscriptions
from .redis_wire import Verbs, Wire

logger = logger_of("wscontrollers.groups")

_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each attempt to connect again; the last one goes on."""


class LinkOwner(Protocol):
    """Whom a link tells how it is. No method waits; none but `check` raises."""

    def check(self, name: str, facts: Facts) -> None:
        """Look at a server before it is used.

        Raises:
            EngineError: It is not one that can be.
        """
        ...

    def wanted(self, link: Link) -> Iterable[Keys]:
        """What is to be subscribed over a link that is there again."""
        ...

    def restored(self, link: Link) -> None:
        """All of that is there; the link is up."""
        ...

    def lost(self, link: Link, reason: str) -> None:
        """It is down; told once, until it is restored."""
        ...

    def moved(self, link: Link) -> None:
        """The server gave channels away."""
        ...


class Link:
    """A subscribed connection to one server, which comes back by itself.

    Args:
        name: Where it leads, for error texts.
        make: Makes one of redis-py's connections, not connected.
        verbs: The commands that subscribe.
        subscriptions: What messages are told to.
        owner: Whom it tells how it is.
        timeout: Seconds after which an answer does not come any more.
        seconds: How long the numbering of a channel lives without being used.

    Attributes:
        failure: Why there is no connection, or None.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Any],
        verbs: Verbs,
        subscriptions: Subscriptions,
        owner: LinkOwner,
        timeout: float,
        seconds: int,
    ) -> None:
        self.name = name
        self.failure: EngineError | None = None
        self._make = make
        self._verbs = verbs
        self._subscriptions = subscriptions
        self._owner = owner
        self._timeout = timeout
        self._seconds = seconds
        self._wire: Wire | None = None
        self._settled = asyncio.Event()
        self._was_up = False
        self._logged = ""
        self._task: asyncio.Task[None] | None = None

    # Asking

    async def subscribe(self, keys: Keys) -> bytes:
        """Subscribe to a channel; where it stood when that was done.

        Raises:
            EngineDownError: There is no connection, or it broke.
            RedisError: redis-py's: the server refuses it.
            TimeoutError: Nothing came in time.
        """
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(self._timeout):
            if self.failure is None:
                await self._settled.wait()
            if self._wire is None:
                raise EngineDownError(str(self.failure))
            self.ask(keys, partial(self._settle, keys[0], answer))
            return await answer

    def _settle(self, key: bytes, answer: asyncio.Future[bytes], place: bytes | Exception) -> None:
        is_late = answer.done()
        if isinstance(place, bytes):
            if is_late:
                self._subscriptions.resumed(key, place)
            else:
                answer.set_result(place)
            return
        if not is_late:
            answer.set_exception(place)
        if is_passing(place) or (is_late and self._subscriptions.holds(key)):
            self.drop(place)  # it is subscribed when the connection is made anew, and told then

    def ask(self, keys: Keys, answered: Answered) -> None:
        """Subscribe to a channel, and ask where it stands then; nothing is done while there is no connection."""
        if self._wire is not None:
            self._wire.ask(keys, answered)

    def unsubscribe(self, key: bytes) -> None:
        """End a subscription."""
        if self._wire is not None:
            self._wire.unsubscribe(key)

    def drop(self, error: Exception) -> None:
        """Give the connection up, and make another one."""
        if self._wire is not None:
            self._wire.drop(error)

    # Its life

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """End it."""
        await end(self._task)

    async def settled(self) -> None:
        """Wait until there is a connection, or `failure` says why there is none."""
        await self._settled.wait()

    async def _live(self) -> None:
        attempt = 0
        while True:
            connection = self._make()
            try:
                facts = await greeted(connection, self._timeout)
                self._owner.check(self.name, facts)
                attempt = 0
                await self._serve(connection)
            except (RedisError, OSError, EngineError) as error:
                self._lose(told(self.name, error, self._timeout))
            except Exception as error:
                logger.exception("engine redis: a connection failed")
                self._lose(told(self.name, error, self._timeout))
            finally:
                self._wire = None
                await connection.disconnect()
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            attempt += 1
            # All processes lost it at once; they shall not come back at once.
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311

    async def _serve(self, connection: Any) -> None:
        """Work with a connection until it breaks, which raises."""
        self._wire = Wire(
            connection, self._verbs, self._subscriptions, partial(self._owner.moved, self), self._timeout, self._seconds
        )
        self.failure = None
        self._begin()
        await self._wire.serve()

    def _begin(self) -> None:
        wanted = list(self._owner.wanted(self))
        left = len(wanted)

        def answered(key: bytes, place: bytes | Exception) -> None:
            nonlocal left
            if isinstance(place, Exception):  # else it would be missing without a word
                self.drop(place)
                return
            self._subscriptions.resumed(key, place)
            left -= 1
            if not left:
                self._restore()

        for keys in wanted:
            self.ask(keys, partial(answered, keys[0]))
        self._settled.set()
        if not wanted:
            self._restore()

    def _restore(self) -> None:
        self._was_up, self._logged = True, ""
        self._owner.restored(self)

    def _lose(self, error: EngineError) -> None:
        before, self.failure = self.failure, error
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.fail(EngineDownError(str(error)))
        self._settled.set()
        if before is None:
            self._owner.lost(self, str(error))
        if self._was_up and not isinstance(error, EngineDownError) and str(error) != self._logged:
            self._logged = str(error)
            logger.error("engine redis: %s", error)  # waiting does not mend it
