"""What waits for a slow peer: a bounded queue of frames."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from anyio import Event

from .delivery import Delivery
from .owner import Frame


class Entry:
    """A frame that waits."""

    __slots__ = ("delivery", "done", "frame", "is_expendable", "key", "size")

    def __init__(self, frame: Frame, size: int, key: object = None, *, is_expendable: bool = False) -> None:
        self.frame = frame
        self.size = size
        self.key = key
        self.is_expendable = is_expendable
        self.done: Event | None = None
        self.delivery = Delivery.QUEUED

    def settle(self, delivery: Delivery) -> None:
        """Tell who waits for the frame what became of it."""
        self.delivery = delivery
        if self.done is not None:
            self.done.set()


class Backlog:
    """The frames of one outbox that wait, in their order.

    Any of them leaves in constant time, but the newest of several that wait with one key.

    Args:
        frames: How many may wait.
        size: How many bytes may wait.
    """

    __slots__ = ("_again", "_bytes", "_entries", "_expendable", "_frames", "_keys", "_size", "_spare")

    def __init__(self, frames: int, size: int) -> None:
        self._frames = frames
        self._size = size
        self._bytes = 0
        self._entries: OrderedDict[Entry, None] = OrderedDict()
        self._expendable: OrderedDict[Entry, None] = OrderedDict()  # those of them that may be dropped, in the same order
        self._spare = 0  # the bytes of these
        self._keys: dict[object, Entry] = {}
        self._again: dict[object, int] = {}  # how many more wait with a key than the newest one

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def has_room(self, size: int) -> bool:
        """Whether a frame of so many bytes may wait too; one alone always may."""
        return self._fits(size, len(self._entries), self._bytes)

    def push(self, entry: Entry) -> None:
        """Let a frame wait behind the others."""
        self._entries[entry] = None
        self._bytes += entry.size
        if entry.is_expendable:
            self._expendable[entry] = None
            self._spare += entry.size
        if entry.key is not None:
            if entry.key in self._keys:
                self._again[entry.key] = self._again.get(entry.key, 0) + 1
            self._keys[entry.key] = entry

    def pop(self) -> Entry:
        """Take the first one."""
        entry, _ = self._entries.popitem(last=False)
        self._left(entry)
        return entry

    def forget(self, entry: Entry) -> None:
        """Take out one that nobody wants any more; one that has left is nothing."""
        if entry in self._entries:
            del self._entries[entry]
            self._left(entry)

    def replace(self, key: object, frame: Frame, size: int) -> bool:
        """Put a newer frame in the place of the one that waits with a key; whether one did, and there was room for the bytes."""
        entry = self._keys.get(key)
        if entry is None:
            return False
        more = size - entry.size
        if self._bytes + more > self._size and more > 0 and len(self._entries) > 1:
            return False
        self._bytes += more
        if entry.is_expendable:
            self._spare += more
        entry.frame, entry.size = frame, size
        return True

    def discard(self, key: object) -> bool:
        """Take out the one that waits with a key, for a newer one that could not replace it; whether one did."""
        entry = self._keys.get(key)
        if entry is not None:
            self.forget(entry)
        return entry is not None

    def shed(self, size: int) -> int:
        """Drop the oldest frames that may be dropped until there is room; how many were. None is where that would not make any.

        Only what came to be dropped may be: an answer, or a message that says "close", is not.
        """
        shed = 0
        if self._fits(size, len(self._entries) - len(self._expendable), self._bytes - self._spare):
            while not self.has_room(size):
                self.forget(next(iter(self._expendable)))
                shed += 1
        return shed

    def _fits(self, size: int, frames: int, held: int) -> bool:
        return not frames or (frames < self._frames and held + size <= self._size)

    def _left(self, entry: Entry) -> None:
        self._bytes -= entry.size
        if entry.is_expendable:
            del self._expendable[entry]
            self._spare -= entry.size
        key = entry.key
        if key is None:
            return
        again = self._again.get(key, 0)
        if again > 1:
            self._again[key] = again - 1
        elif again:
            del self._again[key]
        if self._keys.get(key) is not entry:
            return
        if again:  # an older one waits too, for the newer one found no room in its place
            self._keys[key] = next(each for each in reversed(self._entries) if each.key == key)
        else:
            del self._keys[key]
