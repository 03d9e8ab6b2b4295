"""One look-out for all sessions of an event loop, in place of a timer for each."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Iterator
from typing import Protocol, TypeAlias
from weakref import WeakKeyDictionary

import anyio
from anyio.lowlevel import RunVar

from ..logs import logger_of
from .clock import Clock
from .loops import running_loop, start_detached

logger = logger_of("wscontrollers.session")

TICK = 0.1
"""Seconds between two looks at the sessions that are busy or come to their end."""

_EVERY = 10
"""How many ticks lie between two looks at the limits of time."""


class Watched(Protocol):
    """What is looked after: a session."""

    def glance(self) -> bool:
        """Called at every tick: see whether somebody has to read, or whether its grace is over.

        Returns:
            Whether to look again at the next tick; if not, it says so itself (`Watch.wake`) when there is something to see.
        """
        ...

    def inspect(self, now: float) -> None:
        """Called about once a second: see whether a limit of time is over.

        Args:
            now: The clock's seconds.
        """
        ...

    def failed(self, error: Exception) -> None:
        """Looking after it failed: that is its own end, and nobody else's.

        Args:
            error: What it failed with.
        """
        ...


class Watch:
    """Looks after the sessions of one event loop while there are any; it has a task of its own then, and none otherwise.

    Ticks are real seconds, also where a test moves the clock: seeing that a peer left is no matter of the clock.
    """

    __slots__ = ("__weakref__", "_awake", "_clock", "_task", "_watched")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[int, Watched] = {}
        self._awake: dict[int, Watched] = {}
        self._task: object = None

    def add(self, watched: Watched, *, is_awake: bool = True) -> None:
        """Look after a session.

        Args:
            watched: What is known of it.
            is_awake: Whether to look at every tick, until a `glance` says that there is no need to.
        """
        self._watched[id(watched)] = watched
        if is_awake:
            self._awake[id(watched)] = watched
        if self._task is None:
            self._task = start_detached(self._run)

    @property
    def watched(self) -> tuple[Watched, ...]:
        """What it looks after."""
        return tuple(self._watched.values())

    def remove(self, watched: Watched) -> None:
        """Look after it no more."""
        self._watched.pop(id(watched), None)
        self._awake.pop(id(watched), None)

    def wake(self, watched: Watched) -> None:
        """Look again at every tick at a session that is looked after."""
        self._awake[id(watched)] = watched

    def glance(self) -> None:
        """One tick."""
        for watched in tuple(self._awake.values()):
            try:
                is_urgent = watched.glance()
            except Exception as error:
                self._failed(watched, error)
            else:
                if not is_urgent:
                    self._awake.pop(id(watched), None)

    def inspect(self) -> None:
        """Look at all limits of time now; a clock that a test moves calls it after each move."""
        now = self._clock.now()
        for watched in tuple(self._watched.values()):
            try:
                watched.inspect(now)
            except Exception as error:
                self._failed(watched, error)

    def _failed(self, watched: Watched, error: Exception) -> None:
        try:
            watched.failed(error)
        except Exception:
            self.remove(watched)
            logger.exception("a session could not be ended when looking after it had failed")

    async def _run(self) -> None:
        ticks = 0
        try:
            while self._watched:
                await anyio.sleep(TICK)
                ticks += 1
                self.glance()
                if ticks % _EVERY == 0:
                    self.inspect()
        finally:
            self._task = None


Watches: TypeAlias = WeakKeyDictionary[Clock, Watch]

_of_loops: WeakKeyDictionary[AbstractEventLoop, Watches] = WeakKeyDictionary()
_of_run: RunVar[Watches] = RunVar("wscontrollers_watches")
"""That of trio; on asyncio it takes four times as long to find."""


def _watches() -> Watches:
    """The look-outs of the running event loop, by their clocks."""
    loop = running_loop()
    found = _of_run.get(None) if loop is None else _of_loops.get(loop)
    if found is None:
        found = Watches()
        if loop is None:
            _of_run.set(found)
        else:
            _of_loops[loop] = found
    return found


def watched_here() -> Iterator[Watched]:
    """All that is looked after in the running event loop, by whatever clock."""
    for watch in tuple(_watches().values()):
        yield from watch.watched


def watch_of(clock: Clock) -> Watch:
    """The look-out of the running event loop for the sessions that live by a clock."""
    watches = _watches()
    found = watches.get(clock)
    if found is None:
        found = watches[clock] = Watch(clock)
    return found
