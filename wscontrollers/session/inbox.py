"""What has come in and waits for a busy session: counted, so that it is known when there is no room for more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from .packing import bytes_of

_LARGE: Final = 4 * 1024
_HEAVY: Final = 128 * 1024
"""Characters or bytes of a frame that is large, and of all large ones with which an inbox is full."""

_HELD: Final = 256
"""Bytes that each frame counts for beside its own, where it waits beyond a full inbox: what is made of it is held, too."""


class Inbox(deque[Any]):
    """Items in the order in which they came; what came in one frame takes one place, as a deque.

    Args:
        ahead: How many may wait before it is full.
        size: How many bytes may wait beyond those.
    """

    __slots__ = ("_ahead", "_beyond", "_beyond_bytes", "_heavy", "_heavy_bytes", "_kept", "_size", "_took")

    def __init__(self, ahead: int, size: int) -> None:
        super().__init__()
        self._ahead = ahead
        self._size = size
        self._beyond: deque[int] = deque()  # the bytes of each that waits beyond a full inbox
        self._heavy: deque[tuple[int, int]] = deque()  # of each large one that waits, its number and its size
        self._beyond_bytes = self._heavy_bytes = self._kept = self._took = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more should come in."""
        return bool(self) and (len(self) >= self._ahead or self._heavy_bytes >= _HEAVY)

    @property
    def is_flooded(self) -> bool:
        """Whether more waits beyond it than may."""
        return self._beyond_bytes > self._size

    @property
    def each(self) -> Iterator[Any]:
        """What waits, one by one."""
        for item in self:
            if item.__class__ is deque:
                several: deque[Any] = item
                yield from several
            else:
                yield item

    def put(self, item: Any) -> None:
        """Let an item wait behind the others."""
        self.append(item)
        self._kept += 1

    def weigh(self, content: str | bytes) -> None:
        """Note what the frame held that the last item came in: what is made of a large one can take a hundred times as much."""
        size = len(content)
        if size >= _LARGE:
            self._heavy.append((self._kept, size))
            self._heavy_bytes += size
        if len(self) > self._ahead:
            beyond = _HELD + bytes_of(content)
            self._beyond.append(beyond)
            self._beyond_bytes += beyond

    def take(self) -> Any:
        """The first item."""
        item = self.popleft()
        if item.__class__ is deque:
            several: deque[Any] = item
            item = several.popleft()
            if several:
                self.appendleft(several)
                return item
        self._took += 1
        while self._heavy and self._heavy[0][0] <= self._took:
            self._heavy_bytes -= self._heavy.popleft()[1]
        if self._beyond:
            self._beyond_bytes -= self._beyond.popleft()  # one that waited beyond is within the bound now
        return item
