"""The client's side of typed messages: it encodes what clients send, and decodes what servers send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from starlette.types import Scope

from ..messages import (
    Cancel,
    Codec,
    Credit,
    End,
    ErrorFrame,
    Frame,
    FrameError,
    Gap,
    GoingAway,
    Heartbeat,
    Incoming,
    JsonCodec,
    Message,
    MessageUnion,
    MsgPackCodec,
    ObjectCodec,
    Ok,
    Presence,
    Recover,
    Recovered,
    Ref,
    Resumable,
    Resumed,
    negotiated,
    spoken_with,
)
from ..messages.jsonrpc import error_in
from ..messages.limits import OWN_FRAME_LIMITS
from ..session.framing import SPOKEN_KEY

SENDS_KEY = "wscontrollers.sends"
"""Where an endpoint leaves what it declares to send, for the tests of it: types, as `MessageUnion` takes them."""

_OF_CLIENTS = (Cancel, Credit, Recover)
_OF_SERVERS = (Ok, End, ErrorFrame, Gap, Heartbeat, GoingAway, Recovered, Presence, Resumable, Resumed)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a test expects: message types and control frames.

    Attributes:
        name: How failures name it.
        union: The message types.
        controls: The control frames.
    """

    name: str
    union: MessageUnion
    controls: tuple[type[Any], ...]

    @classmethod
    def of(cls, kind: Any) -> Expected:
        """From a type, a union of types, or a list of them.

        Raises:
            DeclarationError: One of them is no message.
        """
        parts = _parts(kind)
        messages = [part for part in parts if part not in _OF_SERVERS]
        return cls(
            " or ".join(getattr(part, "__name__", str(part)) for part in parts),
            MessageUnion(messages, where=f"expect({kind!r})", side="client"),
            tuple(part for part in parts if part in _OF_SERVERS),
        )

    def fits(self, incoming: Incoming) -> bool:
        """Whether a frame that was read is what is expected."""
        return incoming.tag in self.union.tags or isinstance(incoming.message, self.controls)


class ClientWire:
    """One session's codec, used from the client's side.

    Args:
        codec: The codec that the handshake chose.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._writer = codec.writer()
        # A server's reader leaves answers unread, and so tells which question a frame answers whatever its type.
        self._envelope = codec.reader(MessageUnion([], side="server"), OWN_FRAME_LIMITS)
        self._controls = codec.reader(MessageUnion([], side="client"), OWN_FRAME_LIMITS)

    def encode(self, message: Any, *, ref: Ref | None = None, re: Ref | None = None) -> Frame:
        """A frame of anything that has a form on the wire: messages, control frames, dicts; text and bytes are frames.

        Args:
            message: What is sent.
            ref: What its answer has to carry.
            re: What it answers.

        Raises:
            TypeError: It is no message; or text or bytes with a `ref`.
        """
        if isinstance(message, str | bytes):
            if ref is not None or re is not None:
                raise TypeError(
                    "send(): a frame that is text or bytes has no ref. Fix: write it into the frame, or send a message."
                )
            return message
        if isinstance(message, dict):
            return self._encode_object({**cast("dict[str, Any]", message), **_given(ref=ref, re=re)})
        if isinstance(message, _OF_CLIENTS):
            return self._writer.control(message)
        if isinstance(message, Message):
            return self._writer.message(message, ref=ref, re=re)
        return self._encode_plain(message, ref, re)

    def _encode_plain(self, message: Any, ref: Ref | None, re: Ref | None) -> Frame:
        kind: type[Any] = message.__class__
        return self._codec.writer(MessageUnion([kind], where=f"send({kind.__name__})")).message(message, ref=ref, re=re)

    def ok(self, re: Ref) -> Frame:
        """The answer that says nothing."""
        return self._writer.control(Ok(re))

    def _encode_object(self, value: dict[str, Any]) -> Frame:
        return self._codec.dump(value) if isinstance(self._codec, ObjectCodec) else json.dumps(value)

    def decode(self, frame: Frame, expected: Expected) -> Incoming:
        """Read a frame that should be what is expected.

        Raises:
            FrameError: It is of another type, or invalid.
        """
        return self._codec.reader(expected.union, OWN_FRAME_LIMITS)(frame)

    def control(self, frame: Frame) -> Any:
        """The control frame that a frame is; None for any other frame."""
        try:
            return self._controls(frame).message
        except FrameError:
            return None

    def error(self, frame: Frame) -> ErrorFrame | None:
        """The error that a frame is, also one of JSON-RPC; None for any other frame."""
        found = self.control(frame)
        return found if isinstance(found, ErrorFrame) else error_in(frame)

    def re(self, frame: Frame) -> Ref | None:
        """Which question a frame answers; None if it answers none, or cannot be read."""
        try:
            return self._envelope(frame).re
        except FrameError:
            return None


def wire_of(subprotocol: str | None, codecs: Sequence[Codec]) -> ClientWire:
    """The wire of a session.

    Args:
        subprotocol: What the accept chose.
        codecs: The test's own codecs; JSON and MessagePack where it names none.
    """
    # A tuple of Any: a class attribute does not count as the protocol's property for pyright.
    spoken: Sequence[Any] = codecs or ((MsgPackCodec(),) if subprotocol == MsgPackCodec.subprotocol else (JsonCodec(),))
    return ClientWire(negotiated([subprotocol] if subprotocol is not None else [], spoken_with(spoken))[0])


def declared(scope: Scope | None) -> Expected | None:
    """What the endpoint behind a scope declares to send; None where it does not say."""
    kinds = None if scope is None else scope.get(SENDS_KEY)
    if kinds is None:
        return None
    return Expected.of(kinds)


class Declared:
    """What the endpoint behind a session declares to send, for every frame that it sends.

    Args:
        scope: The scope of the application's call.
        expected: The types.
    """

    def __init__(self, scope: Scope, expected: Expected) -> None:
        self._scope = scope
        self._expected = expected
        self._codec: Codec | None = None
        self._reader: Any = None

    def fault_of(self, frame: Frame) -> str | None:
        """What is wrong with a frame; None where nothing is, or where it cannot be known."""
        # Looked up each time: an endpoint that accepts by itself may choose a codec when it does.
        framing: Any = self._scope.get(SPOKEN_KEY)
        codec: Codec | None = getattr(framing, "codec", None)
        if codec is None or type(frame) in framing.raw_sends:
            return None
        if codec is not self._codec:
            self._codec, self._reader = codec, codec.reader(self._expected.union, OWN_FRAME_LIMITS)
        try:
            self._reader(frame)
        except FrameError as error:
            return str(error)
        return None


def declared_of(scope: Scope | None) -> Declared | None:
    """What frames are checked against; None where the endpoint does not say what it sends."""
    expected = declared(scope)
    return None if scope is None or expected is None else Declared(scope, expected)


def _parts(kind: Any) -> list[Any]:
    if isinstance(kind, list | tuple):
        return [part for one in cast("list[Any]", kind) for part in _parts(one)]
    if get_origin(kind) in (Union, UnionType):
        return [part for one in get_args(kind) for part in _parts(one)]
    return [kind]


def _given(**fields: Ref | None) -> dict[str, Ref]:
    return {name: value for name, value in fields.items() if value is not None}
