"""What is kept of a group, as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json

from ..messages import FrameError, Incoming, JsonCodec, MessageUnion
from ..messages.limits import OWN_FRAME_LIMITS
from ..messages.members import sources_of
from .declaring import Group
from .engines.engine import Page, Position
from .envelope import Envelope
from .marks import Mark


class Kept(NamedTuple):
    """A message of a group's history.

    Attributes:
        message: An instance of its type, if the group declares what is published to it (`sends`); else its fields, as a dict.
        mark: Its place.
        to: "session:id" or "user:id", if of the group only these got it.
    """

    message: Any
    mark: str
    to: str | None = None


class KeptReader:
    """Reads what is kept of the groups of one declaration.

    Args:
        declared: The declaration.
    """

    __slots__ = ("_read", "_union")

    def __init__(self, declared: Group) -> None:
        sources = list(dict.fromkeys(source for each in declared.sends for source in sources_of(each)))
        self._union = MessageUnion(sources, where=repr(declared), side="client") if sources else None
        self._read: Callable[[str | bytes], Incoming] | None = None
        if self._union is not None:
            self._read = JsonCodec().reader(self._union, OWN_FRAME_LIMITS)

    def messages(self, group: str, page: Page, *, whispers: bool = False) -> Sequence[Kept]:
        """The messages of a page.

        Args:
            group: The group.
            page: The page.
            whispers: Whether those that were not for all of the group are among them.
        """
        found: list[Kept] = []
        for offset, data in page.entries:
            message, to = self._message(data)
            if message is not None and (whispers or to is None):
                found.append(Kept(message, str(Mark(group, Position(page.top.epoch, offset))), to))
        return found

    def _message(self, data: bytes) -> tuple[Any, str | None]:
        try:
            envelope = Envelope.decode(data)
            frame = envelope.frames[JsonCodec.subprotocol]
            return cast("dict[str, Any]", from_json(frame)) if self._read is None else self._read(frame).message, envelope.to
        except (ValueError, KeyError, FrameError):
            return None, None  # of an older release of the application: whoever joins live is sent it all the same
