"""The frames that a session sent last: they may not have arrived where its connection was lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from ..owner import Frame


class Sent:
    """Frames by their numbers, which count from 1; the oldest are forgotten, the last one never.

    Args:
        frames: How many are kept.
        size: How many bytes of them are kept.
        last: The number of the last one that was sent before.

    Attributes:
        last: The number of the last frame.
    """

    __slots__ = ("_bytes", "_frames", "_is_held", "_kept", "_size", "last")

    def __init__(self, frames: int, size: int, *, last: int = 0) -> None:
        self._frames = frames
        self._size = size
        self._kept: deque[Frame] = deque()
        self._bytes = 0
        self._is_held = False
        self.last = last

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._kept)

    @property
    def first(self) -> int:
        """The number of the oldest frame that is kept; behind the last one where none is."""
        return self.last - len(self._kept) + 1

    def add(self, frame: Frame) -> int:
        """Keep a frame.

        Args:
            frame: An ASGI event.

        Returns:
            Its number.
        """
        self._kept.append(frame)
        self._bytes += size_of(frame)
        self.last += 1
        self._forget()
        return self.last

    @contextmanager
    def held(self) -> Generator[None]:
        """Forget none while they are sent again."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self._forget()

    def _forget(self) -> None:
        while not self._is_held and len(self._kept) > 1 and (len(self._kept) > self._frames or self._bytes > self._size):
            self._bytes -= size_of(self._kept.popleft())

    def take_back(self, number: int) -> None:
        """Forget a frame that is not sent after all; only the last one can be."""
        if number == self.last and self._kept:
            self._bytes -= size_of(self._kept.pop())
            self.last -= 1

    def get(self, number: int) -> Frame | None:
        """A frame; None where it was not sent yet, or is not kept any more."""
        index = number - self.first
        return self._kept[index] if 0 <= index < len(self._kept) else None

    def missing(self, received: int) -> int:
        """Of those that a client did not receive, how many are not kept any more.

        Args:
            received: The number of the last one that it did receive.
        """
        return max(self.first - received - 1, 0)


def size_of(frame: Frame) -> int:
    """About how many bytes a frame has."""
    text: str | None = frame.get("text")
    return len(frame.get("bytes") or b"") if text is None else len(text)
