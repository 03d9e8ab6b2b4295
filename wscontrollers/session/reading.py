"""A session's incoming frames: read by the session's own task, or ahead of it while that is busy with something else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from anyio import CancelScope, Event
from anyio.lowlevel import checkpoint

from .inbox import Inbox
from .inlet import Inlet, inlet_of
from .loops import current_task, running_loop

_BREATH = 64
"""After how many items whoever takes them lets others run, even if the next one is there already."""

_DISCARDED = 256
"""How many frames of a peer that goes on after the end are read to see whether it leaves; then nothing more is read."""

Frame = MutableMapping[str, Any]
"""An ASGI event."""


def _nobody(*args: Any) -> None:
    """Serves nobody any more."""


class Reading:
    """What one peer sends, in order, at most `ahead` of it before it is asked for.

    A session that waits for its next message reads by itself: no task, no queue, no hop. While it is busy nobody would see
    that the peer left or answer its pings, so whoever notices (see `watch`) calls `read_ahead`, and a task reads into a bounded
    inbox until the session waits again. When the inbox is full it stops, and TCP holds the peer back.

    Args:
        receive: ASGI's.
        start: Starts the reading task among the tasks of the session.
        ahead: How many items may wait.
        arrived: Makes an item of each frame as it comes in, also of those that are read ahead; None if it dealt with it.
        size: How many bytes may wait beyond those items, while somebody awaits a control frame.
        flooded: Told when more than that comes in.
        direct: Whether frames may come past `receive`, where that comes to the same.

    Attributes:
        receive: ASGI's, or what does the same for less.
        arrived: See the arguments.
        waiter: The task that waits for the next item, if one does.
        parked: What `stop` cancels to wake it, while it awaits `receive`.
        epoch: How often an item was asked for.
        is_stopped: Whether nothing is handed over any more.
    """

    __slots__ = (
        "_ahead",
        "_awaiting",
        "_flooded",
        "_inbox",
        "_inlet",
        "_is_ending",
        "_is_woken",
        "_loop",
        "_may_go_direct",
        "_room",
        "_size",
        "_start",
        "_wanted",
        "arrived",
        "epoch",
        "is_ahead",
        "is_stopped",
        "parked",
        "receive",
        "waiter",
    )

    def __init__(
        self,
        receive: Callable[[], Awaitable[Frame]],
        start: Callable[[Callable[[], Awaitable[None]]], None],
        *,
        ahead: int,
        size: int = 1024 * 1024,
        arrived: Callable[[Frame], Any],
        flooded: Callable[[], None] = lambda: None,
        direct: bool = False,
    ) -> None:
        self.receive = receive
        self._may_go_direct = direct
        self._inlet: Inlet | None = None
        self._start = start
        self._ahead = ahead
        self._size = size
        self.arrived = arrived
        self._flooded = flooded
        self._awaiting = 0
        self._loop = running_loop()
        self._inbox: Inbox | None = None  # an idle session needs none
        self._room: Event | None = None
        self._wanted: Event | None = None
        self.parked: asyncio.Task[Any] | CancelScope | None = None
        self._is_ending = self._is_woken = False
        self.waiter: object = None
        self.is_ahead = False
        self.is_stopped = False
        self.epoch = 0

    def go_direct(self) -> None:
        """Receive past `receive` from now on, where that comes to the same; called when the handshake is accepted."""
        if self._may_go_direct and self._inlet is None and (inlet := inlet_of(self.receive)) is not None:
            self._inlet, self.receive = inlet, inlet.receive

    @property
    def source(self) -> Callable[[], Awaitable[Frame]]:
        """ASGI's `receive`."""
        return self.receive if self._inlet is None else self._inlet.source

    async def next(self) -> Any:
        """The next item that was not dealt with on arrival; None when the reading is stopped.

        Raises:
            RuntimeError: Another task waits for it already.
        """
        if self.waiter is not None:
            raise RuntimeError(
                "Session: two tasks wait for its next message. Fix: receive in one task, and hand messages on from there."
            )
        self.epoch += 1
        task = None if self._loop is None else asyncio.current_task(self._loop)
        self.waiter = task or current_task()
        try:
            if not self.epoch % _BREATH:
                await checkpoint()
            while not self.is_stopped:
                if self._inbox:
                    return self._taken(self._inbox)
                if self.is_ahead:
                    self._wanted = Event()
                    await self._wanted.wait()
                    continue
                # On asyncio the waiting task itself is cancelled by `stop`, as `asyncio.timeout` does it: a scope for each frame
                # would cost more than all the rest of the way.
                if task is not None:
                    self.parked = task
                    frame = await self.receive()
                else:
                    frame = await self._received_within()
                self.parked = None
                if frame is not None and (item := self.arrived(frame)) is not None:
                    return item
            return None
        except asyncio.CancelledError:
            if task is None or not self.took_wake_up(task):
                raise
            return None
        finally:
            self.parked = self.waiter = None

    def parks(self, task: asyncio.Task[Any] | None = None) -> asyncio.Task[Any] | None:
        """Let a task await `receive` by itself: what `next` does, without its coroutine, for those who ask all the time.

        Who is let in sets `parked` to None as soon as `receive` is done, hands the frame to `arrived`, and in the end, whatever
        happens, sets both `parked` and `waiter` to None. A cancellation on the way may be a wake-up: see `took_wake_up`.

        Args:
            task: The running task; it is asked for where it is left out.

        Returns:
            The task; None where there is something else to do than to receive, which `next` knows.
        """
        if self._inbox or self.is_ahead or self.is_stopped or self.waiter is not None or self._loop is None:
            return None
        if self.epoch % _BREATH == _BREATH - 1:
            return None  # it is time that others run: `next` lets them
        self.epoch += 1
        self.waiter = self.parked = task = task or asyncio.current_task(self._loop)
        return task

    def took_wake_up(self, task: asyncio.Task[Any]) -> bool:
        """Whether a cancellation of the waiting task is the one by which `stop` wakes it."""
        if self.parked is not None or not self.is_stopped or not self._is_woken:
            return False
        self._is_woken = False
        task.uncancel()
        return True

    def stop(self) -> None:
        """Hand over nothing any more; who waits is told."""
        self.is_stopped = True
        if self._wanted is not None:
            self._wanted.set()
        if self._room is not None:
            self._room.set()
        if self.parked is not None:
            parked, self.parked = self.parked, None
            self._is_woken = True
            parked.cancel()

    def release(self) -> Callable[[], Awaitable[Frame]]:
        """Stop, and let go of who is served; returns ASGI's `receive`."""
        self.stop()
        self._start = self.arrived = self._flooded = _nobody
        if self._inlet is not None:
            self.receive, self._inlet = self._inlet.release(), None
        return self.receive

    @property
    def unread(self) -> int:
        """How many frames wait."""
        return len(self._inbox or ())

    @property
    def waiting(self) -> Iterator[Any]:
        """What waits to be handled."""
        return iter(()) if self._inbox is None else self._inbox.each

    @property
    def is_held(self) -> bool:
        """Whether nothing is read because the inbox is full."""
        return self._room is not None

    def read_ahead(self) -> None:
        """Let a task read while the session is busy; nothing happens if one does, or if the session waits for a message."""
        if not self.is_ahead and self.waiter is None:
            self.is_ahead = True
            self._start(self._run)

    def read_on(self) -> None:
        """Read to the end though the inbox is full: the peer is gone, and little more can come."""
        self._is_ending = True
        if self._room is not None:
            self._room.set()
            self._room = None

    async def _received_within(self) -> Any:
        with CancelScope() as self.parked:
            return await self.receive()
        return None

    @contextmanager
    def awaiting(self) -> Generator[None]:
        """While somebody waits for what only a control frame or a reply brings, reading goes on beyond a full inbox.

        Otherwise the frame that is waited for could stand behind messages that wait for the one who waits.
        """
        self._awaiting += 1
        if self._room is not None:
            self._room.set()
            self._room = None
        self.read_ahead()
        try:
            yield
        finally:
            self._awaiting -= 1

    def _taken(self, inbox: Inbox) -> Any:
        if self._room is not None:
            self._room.set()
            self._room = None
        return inbox.take()

    async def _run(self) -> None:
        discarded = 0
        try:
            while True:
                frame = await self.receive()
                is_departure = frame["type"] == "websocket.disconnect"
                if self.is_stopped and not is_departure:
                    discarded += 1  # only to see that the peer leaves, while the session comes to its end
                    if discarded < _DISCARDED:
                        continue
                    return
                before = self.unread
                self._keep(self.arrived(frame))
                if is_departure:
                    return
                if self._inbox is not None and self.unread > before:
                    self._inbox.weigh(frame.get("text") or frame.get("bytes") or b"")
                    if self._inbox.is_flooded:
                        self._flooded()
                if self._wanted is not None and self._inbox:
                    return  # the session waits, and reads by itself from here on
                await self._wait_for_room()
        finally:
            self.is_ahead = False
            if self._wanted is not None:
                self._wanted.set()
                self._wanted = None

    def keep(self, items: deque[Any]) -> None:
        """Have the items of one frame wait for their turn; together they take one place."""
        if not self.is_stopped:
            self._keep(items)

    def _keep(self, item: Any) -> None:
        if item is None:
            return
        if self._inbox is None:
            self._inbox = Inbox(self._ahead, self._size)
        self._inbox.put(item)

    async def _wait_for_room(self) -> None:
        while self._inbox is not None and self._inbox.is_full and not self.is_stopped:
            if self._is_ending:
                return
            if self._awaiting:
                return
            self._room = Event()
            await self._room.wait()
