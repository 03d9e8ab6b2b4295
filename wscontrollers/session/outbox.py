"""A session's outgoing frames: one writer at a time, at once while the peer keeps up, bounded when it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from typing import Any, cast

from anyio import Event
from anyio.lowlevel import checkpoint

from .backlog import Backlog, Entry
from .delivery import Delivery, Overflow
from .outlet import Outlet, payload_of
from .owner import NOBODY, Frame, Owner
from .packing import packed
from .stepping import is_steppable, resumed
from .wire import event_of

GONE = (OSError, RuntimeError)
"""What servers raise when the peer is gone, or when the connection was closed below the session."""


_BREATH = 64
"""After how many frames whoever sends lets others run, even if the peer takes them at once."""


class _State(Enum):
    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


# A member of an Enum is looked up through its metaclass, which takes as long as a call: these are asked for each frame.
_OPEN = _State.OPEN
_SENT = Delivery.SENT


class Outbox(Outlet):
    """Frames on their way to one peer.

    While the peer keeps up, a frame is written at once by whoever sends it: no queue, no task, no hop. When a write waits,
    later frames queue behind it, and a writer task takes over until the queue is empty.

    Args:
        send: ASGI's.
        owner: Whose frames they are.
        frames: How many frames may wait.
        size: How many bytes may wait.
        direct: Whether frames may go past `send`, where that comes to the same.

    Attributes:
        writes: How many writes were done that others could wait for; if it does not move while `writing` is set, the peer is
            stalled.
        dropped: How many messages found no room.
        replaced: How many gave way to a newer one of the same key.
        writing: Whether a write is under way.
        untold: How many of those that were dropped the peer is still to be told of.
    """

    __slots__ = (
        "_backlog",
        "_behind_gap",
        "_frames",
        "_idle",
        "_owner",
        "_refused",
        "_size",
        "_state",
        "dropped",
        "replaced",
        "untold",
        "writes",
        "writing",
    )

    def __init__(
        self, send: Callable[[Frame], Awaitable[None]], owner: Owner, *, frames: int, size: int, direct: bool = True
    ) -> None:
        super().__init__(send, direct=direct)
        self._owner = owner
        self._frames = frames
        self._size = size
        self._backlog: Backlog | None = None
        self._behind_gap: Frame | None = None
        self.untold = self._refused = 0
        self._idle: Event | None = None
        self._state = _State.NEW
        self.writes = 0
        self.dropped = 0
        self.replaced = 0
        self.writing = False

    async def send(self, frame: Frame, size: int) -> Delivery:
        """Write a frame, behind those that wait; who sends this way waits for a slow peer.

        Who sends one after the other lets others run now and then, though the peer keeps up or is gone: else a loop that only
        sends would have the event loop for itself. Who is cancelled there has not sent.

        Args:
            frame: An ASGI event.
            size: Its bytes.

        Returns:
            `SENT` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
        """
        if self.writes % _BREATH == _BREATH - 1:
            await checkpoint()
        if self._own is not None and self.write(payload_of(frame)):
            return _SENT
        if self._state is not _OPEN and self._is_shut():
            return await self.refuse()
        if self.writing:
            return await self._wait_in_line(Entry(frame, size))
        self.writing = True
        try:
            if self.untold:
                return await self._write(frame)
            await self.send_event(frame)
            self.writes += 1
            return _SENT
        except GONE:
            self.broke()
            return Delivery.CLOSED
        finally:
            if self._backlog or self._idle is not None:
                self._go_on()
            else:
                self.writing = False

    async def post(self, frame: str | bytes) -> Delivery:
        """Do what `send` does, with a frame that is no event yet; short where it need not become one."""
        is_time = self.writes % _BREATH == _BREATH - 1  # to let others run
        return _SENT if not is_time and self.write(frame) else await self.send(*event_of(frame))

    async def refuse(self) -> Delivery:
        """Send nothing any more: it is closed."""
        self._refused += 1
        if self._refused >= _BREATH:
            await checkpoint()
        return Delivery.CLOSED

    def send_nowait(self, frame: Frame, size: int, policy: Overflow = Overflow.CLOSE, key: object = None) -> Delivery:
        """Write a frame if that can be done without waiting, else queue it; nobody waits.

        Args:
            frame: An ASGI event.
            size: Its bytes.
            policy: What happens if there is no room.
            key: Of the frames that wait with one key, the newest takes the place of the older one.

        Returns:
            `SENT`, `QUEUED`, `DROPPED` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
        """
        if self._own is not None and self.write(payload_of(frame)):
            return _SENT
        if self._state is not _OPEN and self._is_shut():
            return Delivery.CLOSED
        if not self.writing:
            if self.steps:
                return self._step(frame)
            self._start_writer()
        elif self._backlog:
            if key is not None and self._backlog.replace(key, frame, size):
                self.replaced += 1
                return Delivery.QUEUED
            if not self._backlog.has_room(size) and not self._make_room(size, policy, key):
                return Delivery.CLOSED if self._state is _State.CLOSED else Delivery.DROPPED
        self._queue(Entry(frame, size, key, is_expendable=policy is Overflow.DROP_OLDEST))
        return Delivery.QUEUED

    def write(self, frame: str | bytes) -> bool:
        """Write a frame at once and past `send_event`, where that comes to the same: nothing waits, and nothing lies before it.

        A long frame is left to a server that compresses.

        Args:
            frame: A text frame's text, or a binary frame's bytes.

        Returns:
            Whether it was written. If not, nothing happened: `send` and `send_nowait` know what to do.
        """
        direct = self._own
        if direct is None or self.writing or self.untold or len(frame) > direct.plain:
            return False
        try:
            written = direct.write(packed(frame))
        except GONE:
            self.broke()
            return False
        self.writes += written
        return written

    async def flush(self) -> None:
        """Wait until all that was queued is written, or lost."""
        while self.writing and self._state is _State.OPEN:
            if self._idle is None:
                self._idle = Event()
            await self._idle.wait()

    def close(self) -> None:
        """Take no more frames; those that wait are lost, and who waits for them is told."""
        self._state = _State.CLOSED
        self.shut()
        waiting, self._backlog = self._backlog, None
        for entry in waiting or ():
            entry.settle(Delivery.CLOSED)
        self._wake()

    def release(self) -> None:
        """Close, and let go of who owns it."""
        self.close()
        self.direct = None
        self._owner = NOBODY

    # For who writes to many (see `groups.sweep`)

    def go_on_with(self, write: Coroutine[Any, Any, None], waits_for: Any) -> None:
        """Have a write that was stepped, and waits, done in a task of the session; later frames queue behind it.

        Args:
            write: It ends when the frame is written.
            waits_for: What it yielded.
        """
        self.writing = True
        try:
            self._owner.start(self._finish, write, waits_for)
        except BaseException:
            write.close()
            raise

    def broke(self) -> None:
        """A write failed: the peer is gone."""
        self.close()
        self._owner.lost()

    @property
    def queued(self) -> list[Frame]:
        """The frames that wait, behind the one that is written, with what the peer is still to be told of."""
        gap = self._owner.gap(self.untold) if self.untold else None
        first = [each for each in (self._behind_gap, gap) if each is not None]
        return [*first, *[entry.frame for entry in self._backlog or ()]]

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        return len(self._backlog) if self._backlog is not None else 0

    # Writing

    def _is_shut(self) -> bool:
        if self._state is _State.NEW:
            if self._owner.is_connecting:
                raise RuntimeError(
                    "Session: nothing can be sent before the handshake is accepted. Fix: send from the endpoint, a handler or a "
                    "task of the session; with accept=False call session.accept() first."
                )
            self._state = _State.OPEN
            self.open_up()
        return self._state is _State.CLOSED

    async def _wait_in_line(self, entry: Entry) -> Delivery:
        entry.done = Event()
        self._queue(entry)
        try:
            await entry.done.wait()
        except BaseException:
            if self._backlog is not None:
                self._backlog.forget(entry)
            raise
        return entry.delivery

    def _step(self, frame: Frame) -> Delivery:
        write = cast("Coroutine[Any, Any, None]", self.send_event(frame))
        try:
            waits_for = write.send(None)
        except StopIteration:
            self.writes += 1
            return Delivery.SENT
        except GONE:
            self.broke()
            return Delivery.CLOSED
        self.go_on_with(write, waits_for)
        return Delivery.QUEUED

    async def _finish(self, write: Coroutine[Any, Any, None], waits_for: Any) -> None:
        try:
            await resumed(write, waits_for)
            self.writes += 1
        except GONE:
            self.broke()
        finally:
            if self._backlog:
                await self._drain()
            else:
                self._rest()

    async def _write(self, frame: Frame) -> Delivery:
        try:
            if self.untold:
                dropped, self.untold = self.untold, 0
                if (gap := self._owner.gap(dropped)) is not None:
                    self._behind_gap = frame
                    await self.send_event(gap)
                    self._behind_gap = None
                self.steps = self._state is _OPEN and is_steppable(self.send_event)
            await self.send_event(frame)
        except GONE:
            self.broke()
            return Delivery.CLOSED
        self.writes += 1
        return Delivery.SENT

    def _start_writer(self) -> None:
        self.writing = True
        try:
            self._owner.start(self._drain)
        except BaseException:  # by a thread: then nobody writes
            self.writing = False
            raise

    async def _drain(self) -> None:
        try:
            while self._backlog and self._state is _State.OPEN:
                entry = self._backlog.pop()
                delivery = Delivery.CLOSED
                try:
                    delivery = await self._write(entry.frame)
                finally:
                    entry.settle(delivery)
        finally:
            self._rest()

    def _go_on(self) -> None:
        if self._backlog and self._state is _State.OPEN:
            self._owner.start(self._drain)
        else:
            self._rest()

    def _rest(self) -> None:
        self.writing = False
        self._wake()

    def _wake(self) -> None:
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    # Room

    def _queue(self, entry: Entry) -> None:
        if self._backlog is None:
            self._backlog = Backlog(self._frames, self._size)
        self._backlog.push(entry)

    def _make_room(self, size: int, policy: Overflow, key: object) -> bool:
        if policy is Overflow.CLOSE:
            self.close()
            self._owner.overflown()
            return False
        if policy is Overflow.DROP_OLDEST and self._backlog is not None:
            if key is not None:
                self.replaced += self._backlog.discard(key)
            self._lose(self._backlog.shed(size))
            if self._backlog.has_room(size):
                return True
        self._lose(1)
        return False

    def _lose(self, frames: int) -> None:
        self.dropped += frames
        self.untold += frames
        self.steps = False
