"""What is kept of a group, as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json

from ..messages import FrameError, Incoming, JsonCodec, MessageUnion
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
    """

    message: Any
    mark: str


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
            self._read = JsonCodec().reader(self._union)

    def messages(self, group: str, page: Page) -> Sequence[Kept]:
        """The messages of a page."""
        return [
            Kept(message, str(Mark(group, Position(page.top.epoch, offset))))
            for offset, data in page.entries
            if (message := self._message(data)) is not None
        ]

    def _message(self, data: bytes) -> Any:
        try:
            frame = Envelope.decode(data).frames[JsonCodec.subprotocol]
            return cast("dict[str, Any]", from_json(frame)) if self._read is None else self._read(frame).message
        except (ValueError, KeyError, FrameError):
            return None  # of an older release of the application: whoever joins live is sent it all the same
