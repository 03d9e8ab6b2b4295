"""What travels from the process that publishes to those that deliver: frames, ready for each codec, and whom they are for.

{"f": [["wsc.v1+json", 31, false]], "x": ["9c0b..."]}\\n{"type":"said","text":"hello"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from ..session.delivery import Overflow

Frame = str | bytes


class Envelope(NamedTuple):
    """A published message.

    Attributes:
        frames: By the subprotocol of the codec that wrote them.
        overflow: What happens at a session without room; None leaves it to the session's controller.
        key: Of the messages that wait with this key, the newest is kept.
        exclude: The ids of sessions that do not get it.
        to: "session:id" or "user:id", if of the group only these get it.
    """

    frames: Mapping[str, Frame]
    overflow: Overflow | None = None
    key: str | None = None
    exclude: frozenset[str] = frozenset()
    to: str | None = None

    def encode(self) -> bytes:
        """As bytes."""
        frames = [(name, frame.encode() if isinstance(frame, str) else frame) for name, frame in self.frames.items()]
        header: dict[str, Any] = {
            "f": [(name, len(data), isinstance(self.frames[name], bytes)) for name, data in frames],
        }
        if self.overflow is not None:
            header["o"] = self.overflow.value
        if self.key is not None:
            header["k"] = self.key
        if self.exclude:
            header["x"] = sorted(self.exclude)
        if self.to is not None:
            header["t"] = self.to
        return b"\n".join([to_json(header), b"".join(data for _, data in frames)])

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """From bytes.

        Raises:
            ValueError: They are no envelope: somebody else publishes to the same channel.
        """
        head, separator, body = data.partition(b"\n")
        header: Any = from_json(head)
        if not separator or not isinstance(header, dict):
            raise ValueError("no envelope")
        fields = cast("dict[str, Any]", header)
        frames: dict[str, Frame] = {}
        at = 0
        for name, size, is_binary in cast("Sequence[tuple[str, int, bool]]", fields.get("f", ())):
            frame = body[at : at + size]
            frames[name] = frame if is_binary else frame.decode()
            at += size
        overflow = fields.get("o")
        return cls(
            frames,
            None if overflow is None else Overflow(overflow),
            fields.get("k"),
            frozenset(fields.get("x", ())),
            fields.get("t"),
        )
