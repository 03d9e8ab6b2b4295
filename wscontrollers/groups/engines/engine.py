"""What carries groups between processes: the protocol of engines, and the data that goes through it.

An engine knows channels and bytes, and nothing of sessions, messages or codecs. It numbers what is published to a channel, so
that whoever misses something knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, Protocol

LONGEST: Final = 100 * 366 * 86400
"""Seconds that something is kept, at most, if it is not kept for ever."""


@dataclass(frozen=True, slots=True)
class History:
    """How much of a group is kept.

    Attributes:
        size: How many messages.
        age: Seconds that each is kept; the whole of a group is forgotten that long after its last message. None keeps it.

    Raises:
        ValueError: Nothing would be kept, or for longer than 100 years.
    """

    size: int = 100
    age: float | None = 300.0

    def __post_init__(self) -> None:
        if self.size < 1 or not (self.age is None or self.age > 0):
            raise ValueError(f"{self!r}: there is nothing to keep. Fix: give a size of at least 1, and an age above 0 or None.")
        if self.age is not None and self.age > LONGEST:
            raise ValueError(f"{self!r}: no engine counts that far. Fix: give an age of at most {LONGEST:,} seconds, or None.")


class Position(NamedTuple):
    """A place in a channel.

    Attributes:
        epoch: Names one numbering of the channel; another epoch means that the channel was lost and began anew. 1 to 32
            letters and digits.
        offset: The number of a message; 0 is before the first one.
    """

    epoch: str
    offset: int


class Arrival(NamedTuple):
    """A message that arrived at a subscription.

    Attributes:
        channel: Where.
        data: What was published.
        position: Its place.
        previous: The offset of the message before it in the channel: one that was not seen is lost.
    """

    channel: str
    data: bytes
    position: Position
    previous: int


class Page(NamedTuple):
    """A part of a channel's history.

    Attributes:
        entries: Offset and data, the oldest first.
        top: Where the channel stood when it was read; the last entry is there or before it.
        is_complete: Whether nothing is missing between the place that was asked for and the first entry: the epoch is the
            same, and nothing of it was trimmed. Where nothing was asked for it is true.
    """

    entries: Sequence[tuple[int, bytes]]
    top: Position
    is_complete: bool


class EngineState(Enum):
    """How an engine is."""

    UP = "up"
    """All is well."""
    DEGRADED = "degraded"
    """It takes messages, and something that it should do is not done: a node of a cluster is missing."""
    DOWN = "down"
    """It does not answer: what needs it raises `EngineDownError`."""


class Listener(Protocol):
    """Whom a connection tells, always in the event loop that it was opened in. No method waits or raises."""

    def arrived(self, arrival: Arrival) -> None:
        """A message of a subscribed channel; those of one channel come in the order of their offsets."""
        ...

    def resumed(self, channel: str, position: Position) -> None:
        """A subscription was interrupted and is there again: from behind `position` on everything arrives."""
        ...

    def changed(self, state: EngineState, reason: str) -> None:
        """The engine's state is another one.

        Args:
            state: The new one.
            reason: Why, for the log; without addresses that hold a password.
        """
        ...


class Connection(Protocol):
    """An engine in use, by one event loop.

    Each method raises `EngineDownError` if the engine does not answer within the engine's time-out: then nothing is known of what
    became of it.
    """

    @property
    def state(self) -> EngineState:
        """How the engine is."""
        ...

    async def subscribe(self, channel: str) -> Position:
        """Have a channel's messages; on return everything that comes behind the position that is returned arrives.

        While the engine is down it is noted, and done when the engine is back (`Listener.resumed`); then it raises.
        """
        ...

    async def unsubscribe(self, channel: str) -> None:
        """Have them no more. It never raises; one that never subscribed is nothing."""
        ...

    async def publish(self, channel: str, data: bytes, keep: History | None = None) -> Position:
        """Number a message, keep it if asked to, and let all subscriptions have it; the messages of one caller stay in order.

        Returns:
            Its place.
        """
        ...

    async def read(self, channel: str, after: Position | None = None, limit: int | None = None) -> Page:
        """What is kept of a channel.

        Args:
            channel: Which one; one that nobody published to is empty, at an offset before its first message.
            after: Only what came behind it; None is all that is kept.
            limit: At most so many, the oldest ones.
        """
        ...

    async def put(self, space: str, key: str, value: bytes) -> None:
        """Note a value under a key."""
        ...

    async def remove(self, space: str, key: str) -> bool:
        """Forget a key; of several that remove it, one is told that it was there."""
        ...

    async def entries(self, space: str) -> Mapping[str, bytes]:
        """All keys of a space with their values."""
        ...

    async def renew(self, node: str, seconds: float) -> None:
        """A process is alive, for so many seconds from now; 0 ends it."""
        ...

    async def alive(self) -> frozenset[str]:
        """The processes that are alive."""
        ...


class Engine(Protocol):
    """Where an engine is and how it is used; the same one can be connected to many times, also one after the other.

    Attributes:
        name: For log lines: "memory", "redis", "nats".
        is_shared: Whether other processes reach it.
        is_dense: Whether the offsets of a channel have no holes, so that what is lost can be counted.
    """

    @property
    def name(self) -> str: ...

    @property
    def is_shared(self) -> bool: ...

    @property
    def is_dense(self) -> bool: ...

    def connect(self, listener: Listener) -> AbstractAsyncContextManager[Connection]:
        """Connect, for as long as the context lasts. A connection that breaks comes back by itself.

        Raises:
            EngineDownError: On entering: it is not there, unless the engine is told to begin without it.
        """
        ...
