"""The control frames of the wire, which are the framework's own, and what a reader hands over.

    {"type": "end", "re": "7"}    <->    End("7")

Each is a plain data class; a codec writes it, and reads it on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypedDict

from pydantic import Field, Strict
from pydantic_core import core_schema

Frame: TypeAlias = str | bytes
"""A text frame is a str, a binary frame is bytes."""

Ref: TypeAlias = str | int
"""What correlates an answer with its question: at most 128 characters, or an integer of 64 bits."""

MAX_REF_LENGTH = 128
"""In characters; a reference is repeated in each item of a stream."""

MAX_INTEGER = 2**63 - 1
MAX_MARKS = 128
MAX_CREDIT = 2**31 - 1

_StrictRef: TypeAlias = (
    Annotated[str, Strict(), Field(max_length=MAX_REF_LENGTH)]
    | Annotated[int, Strict(), Field(ge=-MAX_INTEGER - 1, le=MAX_INTEGER)]
)


class ErrorDetail(TypedDict):
    """One fault of a message: where, by the names that the client sent, of which type, and for people."""

    loc: list[str | int]
    type: str
    msg: str


class _Details:
    """How pydantic reads `ErrorDetail`: below Python 3.12 it does not take a TypedDict of the standard library."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core_schema.CoreSchema:
        text = core_schema.str_schema()
        loc = core_schema.list_schema(core_schema.union_schema([text, core_schema.int_schema(strict=True)]))
        fields = {"loc": loc, "type": text, "msg": text}
        detail = core_schema.typed_dict_schema({name: core_schema.typed_dict_field(field) for name, field in fields.items()})
        return core_schema.nullable_schema(core_schema.list_schema(detail))


# ---- sent by the client


@dataclass(slots=True)
class Cancel:
    """End the stream or handler that answers `re`."""

    re: _StrictRef


@dataclass(slots=True)
class Credit:
    """The client takes `n` more items of the stream that answers `re`."""

    re: _StrictRef
    n: Annotated[int, Strict(), Field(ge=1, le=MAX_CREDIT)]


@dataclass(slots=True)
class Recover:
    """Send what was missed since each of these marks."""

    marks: Annotated[list[Annotated[str, Strict(), Field(min_length=1)]], Field(min_length=1, max_length=MAX_MARKS)]


# ---- sent by the server


@dataclass(slots=True)
class Ok:
    """The answer of a handler that has nothing to say."""

    re: _StrictRef


@dataclass(slots=True)
class End:
    """The stream that answers `re` has no more items."""

    re: _StrictRef


@dataclass(slots=True)
class ErrorFrame:
    """Something went wrong; `re` says with what, `id` where the log has the details."""

    code: str
    message: str
    errors: Annotated[list[ErrorDetail] | None, _Details] = None
    re: _StrictRef | None = None
    id: str | None = None


@dataclass(slots=True)
class Gap:
    """So many messages were not delivered, and why; `group` where they were of one group."""

    dropped: int
    reason: Literal["slow", "engine", "trimmed"]
    group: str | None = None


@dataclass(slots=True)
class Heartbeat:
    """The server asks for a sign of life: any frame, best `{"type": "ok", "re": ref}`."""

    ref: _StrictRef


@dataclass(slots=True)
class GoingAway:
    """The server is about to close with 1012; come back after so many seconds."""

    reconnect_after: float


@dataclass(slots=True)
class Recovered:
    """What was missed of a group follows, all of it or not."""

    group: str
    complete: bool
    mark: str | None = None


@dataclass(slots=True)
class Presence:
    """Who came to a group, and who left."""

    group: str
    joined: list[Any]
    left: list[Any]


@dataclass(slots=True)
class Resumable:
    """The session can be resumed: with this ticket, and for so many seconds after its connection is lost."""

    ticket: str
    grace: float


@dataclass(slots=True)
class Resumed:
    """The session goes on: how many frames of the client arrived, how many for it are lost; what came behind those follows.

    `moved` says that it goes on in another process: what was asked and not answered will not be.
    """

    ticket: str
    grace: float
    received: int
    missed: int
    moved: bool = False


ControlFrame: TypeAlias = (
    Cancel | Credit | Recover | Ok | End | ErrorFrame | Gap | Heartbeat | GoingAway | Recovered | Presence | Resumable | Resumed
)

CLIENT_CONTROLS: dict[str, type[Any]] = {"cancel": Cancel, "credit": Credit, "recover": Recover}
"""The control frames that a client sends, by tag."""

SERVER_CONTROLS: dict[str, type[Any]] = {
    "ok": Ok,
    "end": End,
    "error": ErrorFrame,
    "gap": Gap,
    "heartbeat": Heartbeat,
    "going_away": GoingAway,
    "recovered": Recovered,
    "presence": Presence,
    "resumable": Resumable,
    "resumed": Resumed,
}
"""The control frames that a server sends, by tag."""

RESERVED_TAGS = frozenset(CLIENT_CONTROLS) | frozenset(SERVER_CONTROLS)
RESERVED_FIELDS = frozenset({"type", "ref", "re", "mark"})


# ---- what a reader hands over


class Incoming(NamedTuple):
    """One frame, read.

    Attributes:
        message: An instance of the union's types or a control frame; a `Reply` where only the one who asked knows the type.
        tag: The frame's `type`.
        ref: Where an answer is wanted, what it has to carry as `re`.
        re: Where it is an answer, the `ref` of what it answers.
    """

    message: Any
    tag: str
    ref: Ref | None
    re: Ref | None


@dataclass(slots=True)
class Reply:
    """The answer of a client to a request of the server, not yet read.

    Which types it may have is known to the request alone: read `frame` with the reader of
    `MessageUnion([Answer], side="client")`.
    """

    frame: Frame
