"""A session's outgoing frames: one writer at a time, at once while the peer keeps up, bounded when it does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum

from anyio import Event

from .delivery import Delivery, Overflow
from .owner import NOBODY, Frame, Owner

_GONE = (OSError, RuntimeError)
"""What servers raise when the peer is gone, or when the connection was closed below the session."""


class _State(Enum):
    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


class Entry:
    """A frame that waits."""

    __slots__ = ("delivery", "done", "frame", "key", "size")

    def __init__(self, frame: Frame, size: int, key: object = None) -> None:
        self.frame = frame
        self.size = size
        self.key = key
        self.done: Event | None = None
        self.delivery = Delivery.QUEUED

    def settle(self, delivery: Delivery) -> None:
        """Tell who waits for the frame what became of it."""
        self.delivery = delivery
        if self.done is not None:
            self.done.set()


class Outbox:
    """Frames on their way to one peer.

    While the peer keeps up, a frame is written at once by whoever sends it: no queue, no task, no hop. When a write waits,
    later frames queue behind it, and a writer task takes over until the queue is empty.

    Args:
        send: ASGI's.
        owner: Whose frames they are.
        frames: How many frames may wait.
        size: How many bytes may wait.

    Attributes:
        writes: How many writes were done; one that does not move while `writing` is set is a stalled peer.
        dropped: How many messages found no room.
        replaced: How many gave way to a newer one of the same key.
        writing: Whether a write is under way.
    """

    __slots__ = (
        "_frames",
        "_idle",
        "_keys",
        "_owner",
        "_queue",
        "_send",
        "_size",
        "_state",
        "_untold",
        "_waiting",
        "dropped",
        "replaced",
        "writes",
        "writing",
    )

    def __init__(self, send: Callable[[Frame], Awaitable[None]], owner: Owner, *, frames: int, size: int) -> None:
        self._send = send
        self._owner = owner
        self._frames = frames
        self._size = size
        self._queue: deque[Entry] | None = None
        self._keys: dict[object, Entry] | None = None
        self._waiting = 0
        self._untold = 0
        self._idle: Event | None = None
        self._state = _State.NEW
        self.writes = 0
        self.dropped = 0
        self.replaced = 0
        self.writing = False

    async def send(self, frame: Frame, size: int) -> Delivery:
        """Write a frame, behind those that wait; who sends this way waits for a slow peer.

        Args:
            frame: An ASGI event.
            size: Its bytes.

        Returns:
            `SENT` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
        """
        if self._state is not _State.OPEN and self._is_shut():
            return Delivery.CLOSED
        if self.writing:
            return await self._wait_in_line(Entry(frame, size))
        self.writing = True
        try:
            if self._untold:
                return await self._write(frame)
            await self._send(frame)
            self.writes += 1
            return Delivery.SENT
        except _GONE:
            self._is_gone()
            return Delivery.CLOSED
        finally:
            if self._queue and self._state is _State.OPEN:
                self._owner.start(self._drain)
            else:
                self.writing = False
                if self._idle is not None:
                    self._wake()

    def send_nowait(self, frame: Frame, size: int, policy: Overflow = Overflow.CLOSE, key: object = None) -> Delivery:
        """Queue a frame for the writer; nobody waits, and when there is no room its policy holds.

        Args:
            frame: An ASGI event.
            size: Its bytes.
            policy: What happens when there is no room.
            key: A waiting frame with the same key is replaced by this one.

        Returns:
            `QUEUED`, `DROPPED` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
        """
        if self._state is not _State.OPEN and self._is_shut():
            return Delivery.CLOSED
        if key is not None and self._replace(key, frame, size):
            return Delivery.QUEUED
        if self._is_full(size) and not self._make_room(size, policy):
            return Delivery.CLOSED if self._state is _State.CLOSED else Delivery.DROPPED
        self._push(Entry(frame, size, key))
        if not self.writing:
            self.writing = True
            self._owner.start(self._drain)
        return Delivery.QUEUED

    async def flush(self) -> None:
        """Wait until all that was queued is written, or lost."""
        while self.writing and self._state is _State.OPEN:
            if self._idle is None:
                self._idle = Event()
            await self._idle.wait()

    def close(self) -> None:
        """Take no more frames; those that wait are lost, and who waits for them is told."""
        self._state = _State.CLOSED
        waiting, self._queue, self._keys, self._waiting = self._queue, None, None, 0
        for entry in waiting or ():
            entry.settle(Delivery.CLOSED)
        self._wake()

    def release(self) -> None:
        """Close, and let go of who owns it."""
        self.close()
        self._owner = NOBODY

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        return len(self._queue) if self._queue else 0

    # Writing

    def _is_shut(self) -> bool:
        if self._state is _State.NEW:
            if self._owner.is_connecting:
                raise RuntimeError(
                    "Session: nothing can be sent before the handshake is accepted. Fix: send from the endpoint, a handler or a "
                    "task of the session; with accept=False call session.accept() first."
                )
            self._state = _State.OPEN
        return self._state is _State.CLOSED

    async def _wait_in_line(self, entry: Entry) -> Delivery:
        entry.done = Event()
        self._push(entry)
        try:
            await entry.done.wait()
        except BaseException:
            self._forget(entry)
            raise
        return entry.delivery

    async def _write(self, frame: Frame) -> Delivery:
        try:
            if self._untold:
                dropped, self._untold = self._untold, 0
                await self._send(self._owner.gap(dropped))
            await self._send(frame)
        except _GONE:
            self._is_gone()
            return Delivery.CLOSED
        self.writes += 1
        return Delivery.SENT

    def _is_gone(self) -> None:
        self.close()
        self._owner.lost()

    async def _drain(self) -> None:
        try:
            while self._queue and self._state is _State.OPEN:
                entry = self._popped(self._queue)
                delivery = Delivery.CLOSED
                try:
                    delivery = await self._write(entry.frame)
                finally:
                    entry.settle(delivery)
        finally:
            self._rest()

    def _rest(self) -> None:
        self.writing = False
        self._wake()

    def _wake(self) -> None:
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    # Room

    def _push(self, entry: Entry) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(entry)
        self._waiting += entry.size
        if entry.key is not None:
            if self._keys is None:
                self._keys = {}
            self._keys[entry.key] = entry

    def _popped(self, queue: deque[Entry]) -> Entry:
        entry = queue.popleft()
        self._left(entry)
        return entry

    def _forget(self, entry: Entry) -> None:
        if self._queue and entry in self._queue:
            self._queue.remove(entry)
            self._left(entry)

    def _left(self, entry: Entry) -> None:
        self._waiting -= entry.size
        if entry.key is not None and self._keys is not None:
            self._keys.pop(entry.key, None)

    def _replace(self, key: object, frame: Frame, size: int) -> bool:
        entry = self._keys.get(key) if self._keys is not None else None
        if entry is None:
            return False
        self._waiting += size - entry.size
        entry.frame, entry.size = frame, size
        self.replaced += 1
        return True

    def _is_full(self, size: int) -> bool:
        return bool(self._queue) and (len(self._queue or ()) >= self._frames or self._waiting + size > self._size)

    def _make_room(self, size: int, policy: Overflow) -> bool:
        if policy is Overflow.CLOSE:
            self.close()
            self._owner.overflown()
            return False
        if policy is Overflow.DROP_OLDEST:
            while self._is_full(size):
                # What somebody waits for is not dropped, and the newest of a key stands for all that it replaced.
                oldest = next((entry for entry in self._queue or () if entry.done is None and entry.key is None), None)
                if oldest is None:
                    break
                self._forget(oldest)
                self._lose()
            else:
                return True
        self._lose()
        return False

    def _lose(self) -> None:
        self.dropped += 1
        self._untold += 1
