"""The connection over which a Redis tells its messages.

It is redis-py's, without its reconnecting: that says nothing of what was lost meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Any, NamedTuple, Protocol

from redis.exceptions import NoScriptError, RedisError, ResponseError

from ...exceptions import EngineDownError, EngineError
from .redis_calls import Word, end
from .redis_faults import is_passing, told
from .redis_greeting import Facts, greeted
from .redis_questions import Answered, Questions
from .redis_scripts import PLACE
from .redis_subscriptions import Keys, Subscriptions

logger = logging.getLogger("wscontrollers.groups")

_TURN = 64
"""Messages after which others have their turn."""
_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each attempt to connect again; the last one goes on."""
_TICKS = 4
"""Looks in one time-out. They are counted, and not the time: where the event loop stood still, the server is not to blame."""


class Verbs(NamedTuple):
    """How a kind of server is spoken to."""

    subscribe: str
    unsubscribe: str


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
        self._questions = Questions(seconds)
        self._ending: list[bytes] = []
        self._outgoing: list[tuple[Word, ...]] = []
        self._news = asyncio.Event()
        self._silence = 0
        self._is_connected = False
        self._is_loading = False
        self._broken: asyncio.Future[None] | None = None
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
            if not self._is_connected:
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
        if self._is_connected:
            self._send((self._verbs.subscribe, keys[0]), self._questions.add(keys, answered))

    def unsubscribe(self, key: bytes) -> None:
        """End a subscription."""
        if self._is_connected:
            self._ending.append(key)
            self._send((self._verbs.unsubscribe, key))

    def drop(self, error: Exception) -> None:
        """Give the connection up, and make another one."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    def _send(self, *commands: tuple[Word, ...]) -> None:
        self._outgoing += commands
        self._news.set()

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
                self._is_connected = False
                await connection.disconnect()
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            attempt += 1
            # All processes lost it at once; they shall not come back at once.
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311

    async def _serve(self, connection: Any) -> None:
        """Work with a connection until it breaks, which raises."""
        self._broken = asyncio.get_running_loop().create_future()
        tasks = [
            asyncio.create_task(self._read(connection)),
            asyncio.create_task(self._write(connection)),
            asyncio.create_task(self._watch()),
            self._broken,
        ]
        self._connect()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # one that breaks breaks others; the first says why

    def _connect(self) -> None:
        self._is_connected, self.failure = True, None
        self._silence, self._is_loading, self._ending = 0, False, []
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
        self._is_connected = False
        self._outgoing.clear()
        self._questions.fail(EngineDownError(str(error)))
        self._settled.set()
        if before is None:
            self._owner.lost(self, str(error))
        if self._was_up and not isinstance(error, EngineDownError) and str(error) != self._logged:
            self._logged = str(error)
            logger.error("engine redis: %s", error)  # waiting does not mend it

    async def _write(self, connection: Any) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            commands, self._outgoing = self._outgoing, []
            if commands:
                await connection.send_packed_command(connection.pack_commands(commands))

    async def _watch(self) -> None:
        """Notice a server that says nothing any more, also where nobody asks for anything."""
        while True:
            await asyncio.sleep(self._timeout / _TICKS)
            self._silence += 1
            if self._silence == _TICKS:
                self._send(("PING",))
            if self._silence >= 2 * _TICKS:
                raise TimeoutError

    async def _read(self, connection: Any) -> None:
        for number in count(1):
            try:
                reply = await connection.read_response(timeout=math.inf, disconnect_on_error=False, push_request=True)
            except NoScriptError:
                self._load()
            except ResponseError as error:
                self._questions.fail(error)  # it does not say whose it is
            else:
                self._take(reply)
            self._silence = 0
            if not number % _TURN:
                await asyncio.sleep(0)

    # What the server says

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
                    self._owner.moved(self)
        elif reply == PLACE.digest and self._is_loading:
            self._is_loading = False
            self._send(*self._questions.again())

    def _load(self) -> None:
        """The server forgot the script: it is told again, and all that waits for it is asked again when that is done."""
        if not self._is_loading:
            self._is_loading = True
            self._send(("SCRIPT LOAD", PLACE.text))
