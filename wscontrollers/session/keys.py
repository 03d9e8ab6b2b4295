"""Keys of messages that others published, by the policy of the session that they are for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

from pydantic_core import from_json

from ..messages import FrameError, JsonCodec, Latest, MessageUnion
from ..messages.limits import OWN_FRAME_LIMITS


class PublishedKeys:
    """Finds what a controller's `latest(key=...)` compares in frames of JSON, for the messages themselves are elsewhere.

    Messages that are declared to go out are read. Of others there is only what stands on the wire: their tag, and the field of
    the key's name.

    Args:
        policy: The controller's.
        sends: All types that are declared to go out.
    """

    __slots__ = ("_policy", "_read")

    def __init__(self, policy: Latest, sends: Sequence[Any]) -> None:
        self._policy = policy
        union = MessageUnion(list(sends), where="latest(key=...)", side="client")
        self._read = JsonCodec().reader(union, OWN_FRAME_LIMITS)

    def key_of(self, frame: str | bytes) -> Hashable:
        """The key of a message; None where it has none.

        Raises:
            ValueError: The frame is no JSON within the parser's bounds.
            Exception: What a function that makes keys raises.
        """
        try:
            incoming = self._read(frame)
        except FrameError:
            return self._field_of(frame)
        message = incoming.message
        return (incoming.tag, self._policy.of(message)) if self._policy.holds_for(message) else None

    def _field_of(self, frame: str | bytes) -> Hashable:
        name = self._policy.key
        fields = cast("dict[str, Any]", from_json(frame))
        tag: object = fields.get("type")
        if not isinstance(name, str) or name not in fields or not isinstance(tag, str):
            return None
        key: object = fields[name]
        return (tag, key.__class__, key) if isinstance(key, str | int | float | None) else None  # 1 is not true
