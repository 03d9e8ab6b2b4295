"""How a session's messages, answers and errors stand in frames: flat objects in a codec, or another protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, cast

from ..callables import name_of
from ..messages import Codec, ControlFrame, End, ErrorFrame, FrameError, Incoming, MessageUnion, Ok, Ref, Writer
from ..messages.limits import DEFAULT_FRAME_LIMITS, FrameLimits
from ..messages.members import sources_of
from ..messages.relaying import relayed

Read = Callable[[str | bytes], Incoming]
"""Reads one frame; raises `FrameError` and nothing else."""

SPOKEN_KEY: Final = "wscontrollers.spoken"
"""Where the ASGI scope of a session that declares what it sends has its framing, for tests and tools."""

RAW = frozenset({str, bytes})
"""What is taken from a frame, and written to one, as it is."""


class Several(NamedTuple):
    """The message of a frame that holds several, where a protocol has batches: what each would be as a frame of its own."""

    items: Sequence[Incoming | FrameError]


class Framing(Protocol):
    """What stands between a session and its frames. Where a method returns None, nothing is sent."""

    @property
    def must_arrive(self) -> bool:
        """Whether an answer is sent to its end though its handler is cancelled meanwhile, for no other one can take its place."""
        ...

    @property
    def read(self) -> Read | None:
        """Reads what comes in; None where the endpoint takes frames as they are."""
        ...

    @property
    def dialect(self) -> str:
        """Names the way of framing: sessions of one dialect can share the frames of a group."""
        ...

    def relayed(self, frames: Mapping[str, str | bytes], mark: str | None) -> str | bytes | None:
        """The frame of a message that was published to a group.

        Args:
            frames: By the subprotocol of the codec that wrote them.
            mark: The message's place in the history of the group.
        """
        ...

    def message(self, message: Any, ref: Ref | None = None) -> str | bytes:
        """A message that answers nothing; one with a `ref` wants an answer."""
        ...

    def answer(self, value: Any, ref: Ref | None) -> str | bytes | None:
        """What a handler returned; `ref` is None where no answer is wanted."""
        ...

    def item(self, value: Any, ref: Ref | None) -> str | bytes:
        """An item of a stream."""
        ...

    def end(self, ref: Ref) -> str | bytes:
        """The end of a stream."""
        ...

    def error(self, error: ErrorFrame) -> str | bytes | None:
        """What went wrong with a message."""
        ...

    def control(self, frame: ControlFrame) -> str | bytes | None:
        """What the session itself has to say."""
        ...

    def stop(self) -> None:
        """The session has ended: what comes in from now on wants no answer."""
        ...

    def unanswered(self) -> Sequence[str | bytes]:
        """What is left to say, at the end of the session, to messages that nobody answers any more."""
        ...

    def answers(self, types: Any) -> Read:
        """Reads what the client answers to a request.

        Args:
            types: The type of the answer, or a union.

        Raises:
            DeclarationError: They are no messages.
        """
        ...


class FlatFraming:
    """Flat objects with `type`, `ref` and `re`, written by a codec; one for all sessions of an endpoint.

    Args:
        codec: Writes and reads the objects.
        read: Its reader for the messages that come in.
        outgoing: Types that may go out beside subclasses of `Message`.
        raw_sends: `bytes` and `str`, where such frames are declared to go out.
        limits: What one frame that comes in may hold.

    Attributes:
        codec: The same.
        dialect: The codec's subprotocol.
        control: Writes control frames.
        must_arrive: See `Framing.must_arrive`.
        raw_sends: The same.
    """

    __slots__ = ("_answers", "_limits", "_written", "codec", "control", "dialect", "must_arrive", "raw_sends", "read")

    def __init__(
        self,
        codec: Codec,
        read: Read | None,
        outgoing: MessageUnion | None = None,
        raw_sends: frozenset[type] = frozenset(),
        *,
        limits: FrameLimits = DEFAULT_FRAME_LIMITS,
    ) -> None:
        writer: Writer = codec.writer(outgoing)
        self.codec = codec
        self.dialect = codec.subprotocol
        self.raw_sends = raw_sends
        self.must_arrive = False  # who cancels a handler has it answered by an error
        self.read = read
        self.control = writer.control
        self._limits = limits
        self._written = writer.message
        self._answers: dict[Any, Read] = {}

    def message(self, message: Any, ref: Ref | None = None) -> str | bytes:
        """See `Framing.message`; text and bytes are frames as they are."""
        if type(message) in RAW:
            return cast("str | bytes", message)
        return self._written(message, ref=ref)

    def answer(self, value: Any, ref: Ref | None) -> str | bytes | None:
        """See `Framing.answer`; the answer to nothing is a message like any other."""
        if value is None:
            return None if ref is None else self.control(Ok(ref))
        return cast("str | bytes", value) if type(value) in RAW else self._written(value, ref)

    def item(self, value: Any, ref: Ref | None) -> str | bytes:
        """See `Framing.item`."""
        if type(value) in RAW:
            return cast("str | bytes", value)
        return self._written(value, ref)

    def end(self, ref: Ref) -> str | bytes:
        """See `Framing.end`."""
        return self.control(End(ref))

    def error(self, error: ErrorFrame) -> str | bytes | None:
        """See `Framing.error`."""
        return self.control(error)

    def relayed(self, frames: Mapping[str, str | bytes], mark: str | None) -> str | bytes | None:
        """See `Framing.relayed`."""
        return relayed(self.codec, frames, mark)

    def stop(self) -> None:
        """See `Framing.stop`; nothing is kept of what comes in."""

    def unanswered(self) -> Sequence[str | bytes]:
        """See `Framing.unanswered`: nothing."""
        return ()

    def answers(self, types: Any) -> Read:
        """See `Framing.answers`."""
        read = self._answers.get(types)
        if read is None:
            named = [source for source in sources_of(types) if source is not Ok]  # that one is read without being named
            union = MessageUnion(named, where=f"Session.request(reply={name_of(types)})", side="client")
            read = self._answers[types] = self.codec.reader(union, self._limits)
        return read
