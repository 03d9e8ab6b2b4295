"""Sessions that can be resumed, on their way from the process that has them to the one that their client comes to."""

from __future__ import annotations

from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Final

import anyio
from anyio import Event
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ..exceptions import EngineDownError
from ..logs import logger_of
from ..session.resuming.keeper import keeper
from ..session.resuming.kept import Asked, Kept
from .engines.engine import Arrival, Connection, History

if TYPE_CHECKING:
    from .hub import Hub

logger = logger_of("wscontrollers.groups")

ANSWER: Final = 2.0
"""Seconds that the process which has a session has to give it away."""

_ASKS: Final = "m:asks"
"""The channel on which all processes hear who looks for a session."""
_ANSWERS: Final = "m:to:"
"""What the channel begins with on which one process hears the answers."""
_LEFT: Final = "m:left:"
"""What the channel begins with on which a process that ends leaves a session."""
_QUESTIONS: Final = 100
"""How many questions may wait at once; who comes behind them has another session."""
_CLAIMS: Final = 8
"""How many entries such a channel has: the session, and who wants it."""
_CLAIM: Final = b"claim "


@dataclass(frozen=True, slots=True, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
class Question:
    """A process looks for a session.

    Attributes:
        asked: What the client asks for.
        id: A name for the question.
        to: The node that wants the answer.
    """

    asked: Asked
    id: str
    to: str


@dataclass(frozen=True, slots=True, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
class Answer:
    """What became of the session.

    Attributes:
        id: The name of the question.
        kept: The session; None where its client may not have it.
    """

    id: str
    kept: Kept | None


_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


class _Waiting:
    """A question that waits."""

    __slots__ = ("answered", "kept")

    def __init__(self) -> None:
        self.answered = Event()
        self.kept: Kept | None = None


class Mover:
    """Gives the sessions of one event loop to others, and takes theirs.

    Args:
        hub: The groups of the event loop.
    """

    __slots__ = ("_answers_on", "_asks_on", "_hub", "_is_beginning", "_owner", "_questions")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._owner: object = None
        self._questions: dict[str, _Waiting] = {}
        self._asks_on: Connection | None = None
        self._answers_on: Connection | None = None
        self._is_beginning = False

    def begin(self, owner: object) -> None:
        """Hear who looks for a session of an application, from now on; nothing happens if this is done already."""
        self._owner = owner
        if not self._is_beginning and (self._asks_on is None or self._asks_on is not self._hub.connection):
            self._is_beginning = True
            self._hub.start(self._hear_asks)

    async def take(self, asked: Asked) -> Kept | None:
        """Take a session over from the process that has it, or had it.

        Args:
            asked: What the client asks for.

        Returns:
            The session; None if nobody has it, if its client may not have it, or if the engine does not answer.
        """
        try:
            connection = await self._hub.open()
            return await self._left(connection, asked) or await self._given(connection, asked)
        except EngineDownError as error:
            logger.warning("a session cannot be taken over from another process: %s", error)
            return None

    async def leave(self, kept: Kept) -> None:
        """Leave a session to whom its client comes to, for the time of its grace; what is in the way of that is logged."""
        try:
            connection = await self._hub.open()
            await connection.publish(_LEFT + kept.session, kept.encode(), History(_CLAIMS, kept.grace))
        except Exception:
            logger.exception("session %s: it cannot be left to another process", kept.session)

    def leave_later(self, kept: Kept) -> None:
        """Do that in a task of its own."""
        self._hub.start(partial(self.leave, kept))

    def arrived(self, arrival: Arrival) -> bool:
        """A message of another process; whether it was one of these."""
        if arrival.channel == _ASKS:
            self._asked(arrival.data)
        elif arrival.channel == self._answers:
            self._answered(arrival.data)
        else:
            return False
        return True

    @property
    def _answers(self) -> str:
        return _ANSWERS + self._hub.node.id

    # Giving

    async def _hear_asks(self) -> None:
        try:
            connection = await self._hub.open()
            self._asks_on = connection  # an engine that is away makes a note of it
            await connection.subscribe(_ASKS)
        finally:
            self._is_beginning = False

    def _asked(self, data: bytes) -> None:
        try:
            question = _QUESTION.validate_json(data)
        except ValidationError:
            logger.warning("groups: a question of another process was not understood")
            return
        line = keeper().find(question.asked.session, self._owner)
        if line is None:
            return
        answer = Answer(question.id, line.give_away(question.asked))

        async def tell() -> None:
            connection = await self._hub.open()
            await self._hub.node.settle()  # that it is gone here is not to be heard behind its coming there
            await connection.publish(_ANSWERS + question.to, _ANSWER.dump_json(answer))

        self._hub.start(tell)

    # Taking

    async def _left(self, connection: Connection, asked: Asked) -> Kept | None:
        """A session that a process left when it ended; of several that want it the first one has it."""
        channel = _LEFT + asked.session
        found = _last_in([data for _, data in (await connection.read(channel)).entries])
        if found is None or not found.admits(asked):
            return None
        claim = _CLAIM + token_hex(8).encode()
        await connection.publish(channel, claim, History(_CLAIMS, found.grace))  # as long as what it claims
        entries = [data for _, data in (await connection.read(channel)).entries]
        return found if _last_in(entries) == found and _first_claim(entries) == claim else None

    async def _given(self, connection: Connection, asked: Asked) -> Kept | None:
        """A session that another process has."""
        if len(self._questions) >= _QUESTIONS:
            return None
        if self._answers_on is not connection:
            await connection.subscribe(self._answers)
            self._answers_on = connection
        question = Question(asked, token_hex(8), self._hub.node.id)
        waiting = self._questions[question.id] = _Waiting()
        try:
            await connection.publish(_ASKS, _QUESTION.dump_json(question))
            with anyio.move_on_after(ANSWER):
                await waiting.answered.wait()
        finally:
            del self._questions[question.id]
        return waiting.kept

    def _answered(self, data: bytes) -> None:
        try:
            answer = _ANSWER.validate_json(data)
        except ValidationError:
            logger.warning("groups: an answer of another process was not understood")
            return
        waiting = self._questions.get(answer.id)
        if waiting is not None:
            waiting.kept = answer.kept
            waiting.answered.set()
        elif answer.kept is not None:  # nobody waits any more: its client may come once more
            self.leave_later(answer.kept)


def _last_in(entries: list[bytes]) -> Kept | None:
    """The session that was left last."""
    left = [data for data in entries if not data.startswith(_CLAIM)]
    return Kept.decode(left[-1]) if left else None


def _first_claim(entries: list[bytes]) -> bytes | None:
    """Who wanted the session that was left last, before all others."""
    claim = None
    for data in reversed(entries):
        if not data.startswith(_CLAIM):
            break
        claim = data
    return claim
