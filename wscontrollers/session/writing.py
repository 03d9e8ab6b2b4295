"""The writing of an outbox: one frame at a time, in a task where a write waits, until nothing waits or the peer is gone."""

from __future__ import annotations

from collections.abc import Coroutine
from enum import Enum
from typing import Any, cast

from anyio import Event

from .backlog import Backlog
from .delivery import Delivery
from .outlet import Outlet
from .owner import Frame, Owner
from .stepping import is_steppable, resumed

GONE = (OSError, RuntimeError)
"""What servers raise when the peer is gone, or when the connection was closed below the session."""


class State(Enum):
    """Whether an outbox takes frames: not yet, now, or no more."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


# A member of an Enum is looked up through its metaclass, which takes as long as a call: it is asked for each frame.
OPEN = State.OPEN


class Writing(Outlet):
    """The part of an outbox that writes; `Outbox` is the whole of it.

    Attributes:
        writes: How many writes were done that others could wait for; if it does not move while `writing` is set, the peer is
            stalled.
        writing: Whether a write is under way.
        untold: How many of the messages that were dropped the peer is still to be told of.
    """

    __slots__ = ("_backlog", "_behind_gap", "_idle", "_owner", "_state", "untold", "writes", "writing")

    writes: int
    writing: bool
    untold: int
    _owner: Owner
    _backlog: Backlog | None
    _behind_gap: Frame | None
    _idle: Event | None
    _state: State

    async def flush(self) -> None:
        """Wait until all that was queued is written, or lost, and the peer is told of it."""
        while self.writing and self._state is State.OPEN:
            if self._idle is None:
                self._idle = Event()
            await self._idle.wait()
        if self.untold and self._state is State.OPEN:  # what was dropped last has no frame behind it that would tell
            dropped, self.untold = self.untold, 0
            gap = self._owner.gap(dropped)
            try:
                if gap is not None:
                    await self.send_event(gap)
            except GONE:
                self.broke()

    def close(self) -> None:
        """Take no more frames; those that wait are lost, and who waits for them is told."""
        self._state = State.CLOSED
        self.shut()
        waiting, self._backlog = self._backlog, None
        for entry in waiting or ():
            entry.settle(Delivery.CLOSED)
        self._wake()

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

    # One frame after the other

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
                self.steps = self._state is OPEN and is_steppable(self.send_event)
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
            while self._backlog and self._state is State.OPEN:
                entry = self._backlog.pop()
                delivery = Delivery.CLOSED
                try:
                    delivery = await self._write(entry.frame)
                finally:
                    entry.settle(delivery)
        finally:
            self._rest()

    def _go_on(self) -> None:
        if self._backlog and self._state is State.OPEN:
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
