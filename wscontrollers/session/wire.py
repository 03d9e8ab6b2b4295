"""What a session speaks: the messages it knows, bound to each codec that it can be held in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..exceptions import DeclarationError
from ..messages import (
    Codec,
    FrameError,
    Incoming,
    JsonCodec,
    Latest,
    MessageUnion,
    OutboxPolicy,
    negotiated,
    outbox_policy_of,
    spoken_with,
)
from .delivery import Overflow
from .framing import FlatFraming, Framing, Read
from .keys import PublishedKeys
from .limits import Limits
from .owner import Frame
from .packing import bytes_of

if TYPE_CHECKING:
    from ..messages import JsonRpc
    from .rpc import Rpc


class Wire:
    """The messages of an endpoint, compiled once and shared by its sessions.

    Args:
        incoming: The messages that may come in; None hands frames over as they are.
        limits: The limits of each session.
        outgoing: Types without a tag of their own class that may go out: TypedDicts, dataclasses and plain models.
        raw: `bytes`: binary frames are messages too, as they are; `str`: text frames are.
        codecs: What may be negotiated beside JSON, which is spoken where the client offers no subprotocol.
        outbox: What happens to a message without room whose class says nothing.
        sends: All types that are declared to go out.
        raw_sends: `bytes` and `str`, where frames of them are, too.
        protocol: Spoken in place of flat frames in a codec.
    """

    __slots__ = ("_codecs", "_framings", "_keys", "_raw", "_rpc", "incoming", "limits", "outbox", "sends")

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
        raw_sends: frozenset[type] = frozenset(),
        protocol: JsonRpc | None = None,
    ) -> None:
        self.incoming = incoming
        self.limits = limits
        self.outbox = outbox
        self.sends = tuple(sends)
        self._keys: PublishedKeys | None = None
        self._raw = raw
        self._rpc = None if protocol is None else self._compiled(protocol, outgoing)
        self._codecs = () if protocol is not None else spoken_with(codecs)
        self._framings = {
            id(codec): FlatFraming(
                codec,
                None if incoming is None else self._reader(codec, incoming),
                outgoing,
                raw_sends,
                limits=limits.of_frames,
            )
            for codec in self._codecs
        }

    def negotiate(self, offered: Sequence[str]) -> tuple[Framing, str | None]:
        """The framing for a client, and the subprotocol to accept with.

        Args:
            offered: The subprotocols of its handshake.
        """
        if self._rpc is not None:
            return self._rpc.negotiate(offered)
        codec, subprotocol = negotiated(offered, self._codecs)
        return self._framings[id(codec)], subprotocol

    @property
    def overflow(self) -> Overflow:
        """What happens to a group's message without room whose class says nothing, if it is not replaced by `published_key`."""
        return Overflow.CLOSE if isinstance(self.outbox, Latest) else Overflow(self.outbox)

    def published_key(self, frames: Mapping[str, str | bytes]) -> object:
        """The key under which a newer message of a group replaces an older one, by what the controller says; None without one.

        The messages that the endpoint declares to send are read for it. Of others only their keys on the wire are known: the
        one that `latest(key="...")` names.

        Args:
            frames: By subprotocol, what was written where the message was published.
        """
        if not isinstance(self.outbox, Latest):
            return None
        frame = frames.get(JsonCodec.subprotocol)
        if frame is None:
            return None
        if self._keys is None:
            self._keys = PublishedKeys(self.outbox, self.sends)
        return self._keys.key_of(frame)

    def policy_of(self, message: Any) -> tuple[Overflow, object]:
        """What happens to a message without room, and the key under which a newer one replaces it."""
        cls: type[Any] = message.__class__
        policy = outbox_policy_of(cls) or self.outbox
        if isinstance(policy, Latest):
            return Overflow.CLOSE, (cls, policy.of(message)) if policy.holds_for(message) else None
        return Overflow(policy), None

    def _compiled(self, protocol: JsonRpc, outgoing: MessageUnion | None) -> Rpc:
        from .rpc import Rpc  # here, because most applications speak flat frames alone

        incoming = self.incoming
        if self._raw and incoming is not None:
            raise DeclarationError.at(
                incoming.where, "raw frames are no calls of JSON-RPC", fix="leave str and bytes out of what comes in"
            )
        return Rpc(protocol, incoming, outgoing, limits=self.limits.of_frames, held=self.limits.outbox_bytes)

    def _reader(self, codec: Codec, incoming: MessageUnion) -> Read:
        read: Read = codec.reader(incoming, self.limits.of_frames)
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
    """The ASGI event for a frame, and how many bytes it is."""
    if isinstance(frame, str):
        return {"type": "websocket.send", "text": frame}, len(frame) if frame.isascii() else bytes_of(frame)
    return {"type": "websocket.send", "bytes": frame}, len(frame)
