"""A session's outgoing frames: written at once while the peer keeps up, in line and bounded when it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import Event
from anyio.lowlevel import checkpoint

from .backlog import Backlog, Entry
from .delivery import Delivery, Overflow
from .outlet import payload_of
from .owner import NOBODY, Frame, Owner
from .packing import packed
from .wire import event_of
from .writing import GONE as GONE  # also who writes past an outbox asks for it here
from .writing import OPEN, State, Writing

_BREATH = 64
"""After how many frames whoever sends lets others run, even if the peer takes them at once."""

_SENT = Delivery.SENT  # see `writing.OPEN`


class Outbox(Writing):
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
        dropped: How many messages found no room.
        replaced: How many gave way to a newer one of the same key.
    """

    __slots__ = ("_frames", "_refused", "_size", "dropped", "replaced")

    def __init__(
        self, send: Callable[[Frame], Awaitable[None]], owner: Owner, *, frames: int, size: int, direct: bool = True
    ) -> None:
        super().__init__(send, direct=direct)
        self._owner = owner
        self._frames = frames
        self._size = size
        self._backlog = None
        self._behind_gap = None
        self.untold = self._refused = 0
        self._idle = None
        self._state = State.NEW
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
        if self._state is not OPEN and self._is_shut():
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
            `SENT`, `QUEUED`, `DISPLACED`, `DROPPED` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
        """
        if self._own is not None and self.write(payload_of(frame)):
            return _SENT
        if self._state is not OPEN and self._is_shut():
            return Delivery.CLOSED
        if not self.writing:
            if self.steps:
                return self._step(frame)
            self._start_writer()
        elif self._backlog and key is not None and self._backlog.replace(key, frame, size):
            self.replaced += 1
            return Delivery.QUEUED
        entry = Entry(frame, size, key, is_expendable=policy is Overflow.DROP_OLDEST)
        if self._backlog and not self._backlog.has_room(size):
            return self._squeeze(self._backlog, entry, policy)
        self._queue(entry)
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

    def release(self) -> None:
        """Close, and let go of who owns it."""
        self.close()
        self.direct = None
        self._owner = NOBODY

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

    def _is_shut(self) -> bool:
        if self._state is State.NEW:
            if self._owner.is_connecting:
                raise RuntimeError(
                    "Session: nothing can be sent before the handshake is accepted. Fix: send from the endpoint, a handler or a "
                    "task of the session; with accept=False call session.accept() first."
                )
            self._state = State.OPEN
            self.open_up()
        return self._state is State.CLOSED

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

    # Room

    def _queue(self, entry: Entry) -> None:
        if self._backlog is None:
            self._backlog = Backlog(self._frames, self._size)
        self._backlog.push(entry)

    def _squeeze(self, backlog: Backlog, entry: Entry, policy: Overflow) -> Delivery:
        """Do with a frame for which there is no room as its policy says."""
        if policy is Overflow.CLOSE:
            self.close()
            self._owner.overflown()
            return Delivery.CLOSED
        if policy is Overflow.DROP_OLDEST:
            superseded = entry.key is not None and backlog.discard(entry.key)
            shed = backlog.shed(entry.size)
            if backlog.has_room(entry.size):
                self.replaced += superseded
                backlog.push(entry)
                if shed:
                    self._lose(shed)
                    return Delivery.DISPLACED
                return Delivery.QUEUED
            self._lose(superseded)  # the older one of its key is lost with it
        self._lose(1)
        return Delivery.DROPPED

    def _lose(self, frames: int) -> None:
        self.dropped += frames
        self.untold += frames
        self.steps = False
