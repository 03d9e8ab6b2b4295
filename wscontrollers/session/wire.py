"""What a session speaks: the messages it knows, bound to each codec that it can be held in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..callables import name_of
from ..exceptions import DeclarationError
from ..messages import (
    Codec,
    FrameError,
    Incoming,
    JsonCodec,
    Latest,
    MessageUnion,
    Ok,
    OutboxPolicy,
    Writer,
    negotiated,
    outbox_policy_of,
)
from ..messages.members import sources_of
from .delivery import Overflow
from .limits import Limits
from .owner import Frame

Read = Callable[[str | bytes], Incoming]

RAW = frozenset({str, bytes})
"""What is taken from a frame, and written to one, as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A codec with the reader and the writer for one set of messages."""

    codec: Codec
    read: Read | None
    writer: Writer


class Wire:
    """The messages of an endpoint, compiled once and shared by its sessions.

    Args:
        incoming: The messages that may come in; None hands frames over as they are.
        limits: The limits of each session.
        outgoing: Types without a tag of their own class that may go out: TypedDicts, dataclasses and plain models.
        raw: `bytes`: binary frames are messages too, as they are; `str`: text frames are.
        codecs: What may be negotiated; JSON, or the first one, is spoken where the client offers no subprotocol.
        outbox: What happens to a message without room whose class says nothing.
        sends: All types that are declared to go out.
    """

    __slots__ = ("_answers", "_bound", "_codecs", "_raw", "incoming", "limits", "outbox", "sends")

    def __init__(
        self,
        incoming: MessageUnion | None,
        *,
        limits: Limits,
        outgoing: MessageUnion | None = None,
        raw: frozenset[type] = frozenset(),
        codecs: Sequence[Codec] = (),
        outbox: OutboxPolicy = "close",
        sends: Sequence[Any] = (),
    ) -> None:
        self.incoming = incoming
        self.limits = limits
        self.outbox = outbox
        self.sends = tuple(sends)
        self._raw = raw
        self._codecs = tuple(codecs) or (JsonCodec(),)
        self._bound = {
            id(codec): Bound(codec, None if incoming is None else self._reader(codec, incoming), codec.writer(outgoing))
            for codec in self._codecs
        }
        self._answers: dict[tuple[int, Any], Read] = {}

    def negotiate(self, offered: Sequence[str]) -> tuple[Bound, str | None]:
        """The codec for a client, and the subprotocol to accept with.

        Args:
            offered: The subprotocols of its handshake.
        """
        codec, subprotocol = negotiated(offered, self._codecs)
        return self._bound[id(codec)], subprotocol

    def policy_of(self, message: Any) -> tuple[Overflow, object]:
        """What happens to a message without room, and the key under which a newer one replaces it."""
        cls: type[Any] = message.__class__
        policy = outbox_policy_of(cls) or self.outbox
        if isinstance(policy, Latest):
            return Overflow.CLOSE, (cls, policy.of(message))
        return Overflow(policy), None

    def answers(self, bound: Bound, types: Any) -> Read:
        """The reader of what a client may answer to a request.

        Args:
            bound: The codec of the session.
            types: A type or a union of them.

        Raises:
            DeclarationError: They are no messages.
        """
        key = (id(bound), types)
        read = self._answers.get(key)
        if read is None:
            named = [source for source in sources_of(types) if source is not Ok]  # that one is read without being named
            union = MessageUnion(named, where=f"Session.request(reply={name_of(types)})", side="client")
            read = self._answers[key] = bound.codec.reader(union)
        return read

    def _reader(self, codec: Codec, incoming: MessageUnion) -> Read:
        read: Read = codec.reader(incoming)
        raw = self._raw
        if not raw:
            return read
        if (bytes if codec.binary else str) in raw and incoming.members:
            kind = "bytes" if codec.binary else "str"
            raise DeclarationError.at(
                incoming.where,
                f"raw {kind} frames cannot be told from messages: {codec.subprotocol} writes those into the same kind of frame",
                fix=f"leave {kind} out, or take frames of the other kind",
            )

        def read_raw(frame: str | bytes) -> Incoming:
            if type(frame) in raw:
                return Incoming(frame, "", None, None)
            if not incoming.members:
                raise FrameError("invalid_frame", "a frame of the other kind is expected")
            return read(frame)

        return read_raw


def event_of(frame: str | bytes) -> tuple[Frame, int]:
    """The ASGI event for a frame, and about how many bytes it is."""
    if isinstance(frame, str):
        return {"type": "websocket.send", "text": frame}, len(frame)
    return {"type": "websocket.send", "bytes": frame}, len(frame)
