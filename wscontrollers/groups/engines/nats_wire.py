"""One connection to a NATS server, from its beginning to its end: requests with answers, and subscriptions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Interest

from ...exceptions import EngineDownError
from .nats_client import OneWayClient

NOBODY: Final = "503"
"""The status of an answer that says that nobody takes such requests."""
_END: Final = "204"
_LATE: Final = 0.5
"""Seconds by which a timer is late when this process did not run."""


@dataclass(eq=False, slots=True)
class _Question:
    """A request on its way.

    Attributes:
        future: Who waits.
        until: When it is given up, in the loop's time.
        parts: What came of the answer, where it has several messages.
    """

    future: asyncio.Future[Any]
    until: float
    parts: list[Msg] | None = field(default=None)


class Wire:
    """A connection.

    Args:
        timeout: Seconds after which a request is given up.
        uneasy: Called when something may be wrong: a request was given up, the connection broke. It does not wait.
    """

    def __init__(self, timeout: float, uneasy: Callable[[], None]) -> None:
        self._timeout = timeout
        self._uneasy = uneasy
        self._client = OneWayClient()
        self._loop = asyncio.get_running_loop()
        self._questions: dict[str, _Question] = {}
        self._numbers = count()
        self._inbox = ""
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._is_closed = False
        self._failure: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Whether it holds, as far as is known."""
        return not self._is_closed and self._client.is_connected

    @property
    def max_payload(self) -> int:
        """Bytes that a message may have, its headers included."""
        return self._client.max_payload

    @property
    def version(self) -> tuple[int, int]:
        """The server's, major and minor."""
        version = self._client.connected_server_version
        return version.major, version.minor

    @property
    def discovered(self) -> list[str]:
        """Other servers of the cluster that the server told of, for the same user."""
        here = self._client.connected_url
        user, at, _ = here.netloc.rpartition("@") if here else ("", "", "")
        return [server._replace(netloc=f"{user}{at}{server.netloc}").geturl() for server in self._client.discovered_servers]

    async def open(self, servers: Sequence[str], options: Mapping[str, Any]) -> None:
        """Connect to one of the servers.

        Raises:
            EngineDownError: None of them answers.
        """
        try:
            async with asyncio.timeout(self._timeout * len(servers)):
                await self._client.join(servers, options, self._timeout, self._note, self._end)
                self._inbox = self._client.new_inbox() + "."
                await self._client.hear(self._inbox + "*", self._answered)
        except (OSError, nats.errors.Error, TimeoutError) as error:
            cause = self._failure if isinstance(error, nats.errors.NoServersError) and self._failure else error
            await self.close()
            raise EngineDownError(f"no server answers: {described(cause)}") from error
        except BaseException:
            await self.close()
            raise

    async def close(self, *, is_broken: bool = False) -> None:
        """End it, whatever state it is in; what waits for an answer is told that there is none. It never raises.

        Args:
            is_broken: What is not written yet is dropped: nobody takes it.
        """
        self._is_closed = True
        self._give_up(lambda question: True, self._ending())
        if self._timer is not None:
            self._timer.cancel()
        if is_broken or not self._client.is_connected:
            self._client.abort()
        with suppress(Exception):
            async with asyncio.timeout(self._timeout):
                await self._client.close()
        self._client.abort()

    def request(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> Awaitable[Msg]:
        """Publish something, and have the one message that answers it.

        Raises:
            EngineDownError: When awaited: there is none.
        """
        return self._ask(subject, data, headers, None)

    async def tell(self, subject: str, data: bytes, headers: dict[str, str]) -> None:
        """Publish something that nobody answers. It does not wait; if the connection has ended, it is lost."""
        with suppress(nats.errors.Error):
            await self._client.publish(subject, data, headers=headers)

    def collect(self, subject: str, question: Mapping[str, Any]) -> Awaitable[list[Msg]]:
        """Ask for several messages; the last of them has a status, and no data.

        Raises:
            EngineDownError: When awaited: they did not come in time.
        """
        return self._ask(subject, json.dumps(question).encode(), None, [])

    async def subscribe(self, subject: str, take: Callable[[Msg], None]) -> Interest:
        """Have the messages of a subject handed to a function. It does not wait; a request behind it confirms it.

        Raises:
            EngineDownError: The connection has ended.
        """
        try:
            return await self._client.hear(subject, take)
        except nats.errors.Error as error:
            raise EngineDownError(self._ending()) from error

    async def unsubscribe(self, interest: Interest) -> None:
        """Have them no more. It does not wait, and never raises."""
        with suppress(nats.errors.Error):
            await interest.unsubscribe()

    async def _ask(self, subject: str, data: bytes, headers: dict[str, str] | None, parts: list[Msg] | None) -> Any:
        if not self.is_open:
            raise EngineDownError(self._ending())
        name = str(next(self._numbers))
        question = _Question(self._loop.create_future(), self._loop.time() + self._timeout, parts)
        self._questions[name] = question
        try:
            await self._client.publish(subject, data, reply=self._inbox + name, headers=headers)
            if self._timer is None:
                self._wake(question.until)
            return await question.future
        except nats.errors.Error as error:
            raise EngineDownError(described(error)) from error
        finally:
            self._questions.pop(name, None)

    def _answered(self, message: Msg) -> None:
        question = self._questions.get(message.subject[len(self._inbox) :])
        if question is None or question.future.done():
            return
        if question.parts is None:
            question.future.set_result(message)
            return
        question.parts.append(message)
        question.until = self._loop.time() + self._timeout
        if status_of(message):
            question.future.set_result(question.parts)

    def _look(self) -> None:
        """Give up what has waited for too long; one timer for all."""
        now = self._loop.time()
        if now - self._due > _LATE:
            # This process slept, or was busy: answers that came meanwhile are not read yet.
            for question in self._questions.values():
                question.until = now + self._timeout
        reason = f"no answer within {self._timeout:g} s"
        # The server may have said why: it has no word for the request that it refuses.
        reason += f" ({described(self._failure)})" if self._failure else ""
        self._give_up(lambda question: question.until <= now, reason)
        waiting = [question.until for question in self._questions.values() if not question.future.done()]
        self._timer = None
        if waiting:
            self._wake(min(waiting))

    def _wake(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_at(due, self._look)

    def _give_up(self, is_over: Callable[[_Question], bool], reason: str) -> None:
        over = [question for question in self._questions.values() if is_over(question) and not question.future.done()]
        for question in over:
            question.future.set_exception(EngineDownError(reason))
            question.future.exception()  # who asked may be gone
        if over:
            self._uneasy()

    def _ending(self) -> str:
        return f"the connection broke: {described(self._failure)}" if self._failure else "the connection has ended"

    async def _note(self, error: Exception) -> None:
        self._failure = error
        self._uneasy()

    async def _end(self) -> None:
        self._is_closed = True
        self._give_up(lambda question: True, self._ending())
        self._uneasy()


def status_of(message: Msg) -> str:
    """The status of an answer; nothing where it is a message like others."""
    headers = message.headers
    return headers.get("Status", "") if headers else ""


def is_end(message: Msg) -> bool:
    """Whether a message says that all came that was asked for."""
    return status_of(message) == _END


def described(error: BaseException) -> str:
    """An error in words; nats-py's have no more of an address than host and port."""
    return str(error).strip() or type(error).__name__
