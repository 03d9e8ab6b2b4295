"""What travels from the process that publishes to those that deliver: frames, ready for each codec, and whom they are for.

{"f": [["wsc.v1+json", 31, false]], "x": ["9c0b..."]}\\n{"type":"said","text":"hello"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from ..session.delivery import Overflow

Frame = str | bytes


@lru_cache(maxsize=64)
def _quoted(name: str) -> str:
    return to_json(name).decode()


class Envelope(NamedTuple):
    """A published message.

    Attributes:
        frames: By the subprotocol of the codec that wrote them.
        overflow: What happens at a session without room; None leaves it to the session's controller.
        key: Of the messages that wait with this key, the newest is kept.
        exclude: Who does not get it: ids of sessions, and users as "user:id".
        to: "session:id" or "user:id", if of the group only these get it.
        name: Names this publication, where its own process may hand it on before the engine does.
    """

    frames: Mapping[str, Frame]
    overflow: Overflow | None = None
    key: str | None = None
    exclude: frozenset[str] = frozenset()
    to: str | None = None
    name: str | None = None

    def encode(self) -> bytes:
        """As bytes."""
        described, frames = "", b""
        for name, frame in self.frames.items():
            is_binary, data = ("true", frame) if isinstance(frame, bytes) else ("false", frame.encode())
            described += f"{',' if described else ''}[{_quoted(name)},{len(data)},{is_binary}]"
            frames += data
        options = self._options() if self[1:] != _NO_OPTIONS else ""
        return f'{{"f":[{described}]{options}}}\n'.encode() + frames

    def _options(self) -> str:
        header: dict[str, Any] = {}
        if self.overflow is not None:
            header["o"] = self.overflow.value
        if self.key is not None:
            header["k"] = self.key
        if self.exclude:
            header["x"] = sorted(self.exclude)
        if self.to is not None:
            header["t"] = self.to
        if self.name is not None:
            header["n"] = self.name
        return f",{to_json(header).decode()[1:-1]}"

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
            fields.get("n"),
        )


_NO_OPTIONS = Envelope({})[1:]
