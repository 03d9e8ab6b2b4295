"""A session as one process keeps it for another, where its client may come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import to_json

from ...logs import logger_of
from ..owner import Frame
from .tickets import Ticket

if TYPE_CHECKING:
    from .connection import Connection

logger = logger_of("wscontrollers.session")

MOST: Final = 256 * 1024
"""Bytes of frames that go from one process to another; engines carry a megabyte at most."""


_AS_TEXT: Final = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


@dataclass(frozen=True, slots=True)
class Place:
    """A group that the session is in.

    Attributes:
        group: Its name.
        epoch: Together with `offset`: everything up to there was given to the session. None where that is not known.
        offset: See `epoch`.
        info: What the session gave for its presence, as JSON has it.
    """

    group: str
    epoch: str | None = None
    offset: int = 0
    info: Any = None


@dataclass(frozen=True, slots=True, config=_AS_TEXT)
class Flat:
    """A frame of either way."""

    text: str | None = None
    data: bytes | None = None

    @classmethod
    def of(cls, event: Frame) -> Flat:
        """The frame of an ASGI event."""
        return cls(event.get("text"), event.get("bytes"))

    def event(self, kind: str) -> Frame:
        """The ASGI event of the frame."""
        return {"type": kind, "bytes": self.data} if self.text is None else {"type": kind, "text": self.text}


@dataclass(frozen=True, slots=True, config=_AS_TEXT)
class Asked:
    """What a client asks for that comes back.

    Attributes:
        session: The id of the session.
        ticket: The number of its ticket.
        received: How many frames it received.
        origin: The page that it comes from.
        place: The path that it asks for, with that of the mounts.
        subprotocols: What it offers.
    """

    session: str
    ticket: int
    received: int
    origin: bytes | None
    place: tuple[str, str]
    subprotocols: Sequence[str]

    @classmethod
    def by(cls, connection: Connection, ticket: Ticket, received: int) -> Asked:
        """What the client of a connection asks for."""
        offered: Sequence[str] = connection.scope["subprotocols"]
        return cls(ticket.session, ticket.number, received, connection.origin, connection.place, offered)


@dataclass(frozen=True, slots=True, config=_AS_TEXT)
class Kept:
    """What is left of a session without its tasks and its controller.

    Attributes:
        session: Its id.
        tickets: The numbers of the tickets that are good.
        ticket: The number of the last one.
        origin: The page that opened it.
        place: The path that was asked for, with that of the mounts.
        subprotocol: The one that was chosen.
        resumed: How often its client came back.
        received: How many frames of the client were handed to the session.
        last: The number of the last frame that was sent, or that waits to be sent.
        frames: The last ones up to that.
        preface: What the client sent before the session began: its first message.
        user: Whose it is.
        groups: The groups that it is in.
        grace: Seconds that it waits for its client.
        at: When it left its process, in seconds since 1970.
    """

    session: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    tickets: frozenset[int]
    ticket: int
    origin: bytes | None
    place: tuple[str, str]
    subprotocol: str | None
    resumed: int
    received: int
    last: int
    frames: Sequence[Flat]
    preface: Sequence[Flat]
    user: str | None
    groups: Sequence[Place]
    grace: float
    at: float

    def admits(self, asked: Asked) -> bool:
        """Whether a client may go on with it."""
        return (
            asked.ticket in self.tickets
            and (self.origin, self.place) == (asked.origin, asked.place)
            and self.subprotocol in (None, *asked.subprotocols)
            and 0 <= asked.received <= self.last
        )

    def encode(self) -> bytes:
        """As bytes."""
        return _ADAPTER.dump_json(self)

    @classmethod
    def decode(cls, data: bytes) -> Kept | None:
        """From bytes; None, and a line in the log, if they were not understood."""
        try:
            return _ADAPTER.validate_json(data)
        except ValidationError:
            logger.warning("a session that another process kept was not understood")
            return None


_ADAPTER: TypeAdapter[Kept] = TypeAdapter(Kept)


def newest(frames: Sequence[Frame]) -> list[Flat]:
    """As many of the last frames as go from one process to another."""
    kept: list[Flat] = []
    size = 0
    for frame in reversed(frames):
        text, data = frame.get("text"), frame.get("bytes") or b""
        size += 2 * len(data) if text is None else len(to_json(text))  # as it travels
        if size > MOST:
            break
        kept.append(Flat.of(frame))
    return kept[::-1]
