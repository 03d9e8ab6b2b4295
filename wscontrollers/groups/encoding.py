"""Messages as they are published: written once by each codec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from ..messages import Codec, ControlFrame, JsonCodec, Latest, MessageUnion, Writer, outbox_policy_of
from ..messages.members import sources_of
from ..session.delivery import Overflow
from .envelope import Envelope


class Encoder:
    """Writes what is published.

    Args:
        codecs: Those of the application; JSON is always among them.
        sends: Declared types: those that are no subclasses of `Message` can be published only if they are here.
    """

    __slots__ = ("_writers",)

    def __init__(self, codecs: Sequence[Codec] = (), sends: Sequence[Any] = ()) -> None:
        sources = list(dict.fromkeys(source for each in sends for source in sources_of(each)))
        union = MessageUnion(sources, where="groups", side="client") if sources else None
        spoken = {codec.subprotocol: codec for codec in (JsonCodec(), *codecs)}
        self._writers: dict[str, Writer] = {name: codec.writer(union) for name, codec in spoken.items()}

    def envelope(self, message: Any, *, exclude: frozenset[str] = frozenset(), to: str | None = None) -> Envelope:
        """What is published of a message.

        Raises:
            TypeError: It is nothing that can be sent.
        """
        frames = {name: writer.message(message) for name, writer in self._writers.items()}
        policy = outbox_policy_of(message.__class__)
        if isinstance(policy, Latest):
            key = to_json([message.__class__.__qualname__, policy.of(message)], fallback=str).decode()
            return Envelope(frames, None, key, exclude, to)
        return Envelope(frames, None if policy is None else Overflow(policy), None, exclude, to)

    def control(self, frame: ControlFrame) -> Envelope:
        """What is published of a control frame."""
        return Envelope({name: writer.control(frame) for name, writer in self._writers.items()})
