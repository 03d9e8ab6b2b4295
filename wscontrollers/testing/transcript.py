"""What went over a session, in both directions, as the text of a failure shows it."""

from __future__ import annotations

from collections import deque
from typing import Literal

from starlette.types import Message

from .frames import described

_SHOWN = 20

Direction = Literal["->", "<-", "--"]


class Transcript:
    """The last lines of a session: `->` what the test sent, `<-` what the application sent, `--` what happened besides."""

    __slots__ = ("_count", "_last")

    def __init__(self) -> None:
        self._count = 0
        self._last: deque[str] = deque(maxlen=_SHOWN)

    def sent(self, message: Message) -> None:
        """Note an ASGI message from the test to the application."""
        self._add("->", described(message))

    def arrived(self, message: Message) -> None:
        """Note an ASGI message from the application to the test."""
        self._add("<-", described(message))

    def happened(self, what: str) -> None:
        """Note something that is no frame."""
        self._add("--", what)

    def _add(self, direction: Direction, line: str) -> None:
        self._count += 1
        self._last.append(f"{direction} {line}")

    def __str__(self) -> str:
        if not self._count:
            return "Nothing has gone over this session."
        first = self._count - len(self._last) + 1
        lines = [f"  {number}. {line}" for number, line in enumerate(self._last, first)]
        if first > 1:
            lines.insert(0, f"  ... {first - 1} before these")
        return "\n".join(["On this session so far (-> to the application, <- from it):", *lines])
