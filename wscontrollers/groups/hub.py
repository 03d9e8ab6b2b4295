"""The groups of one event loop: who is in them, and the connection to the engine."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import Event
from anyio.lowlevel import checkpoint

from ..exceptions import EngineDownError
from ..logs import logger_of
from ..messages import Gap
from .detached import Detached
from .engines.engine import Connection, Engine, EngineState, History
from .envelope import Envelope
from .hearing import AGAIN, Hearing
from .local import LocalGroup
from .losses import Losses
from .marks import Mark
from .member import Member
from .moving import Mover
from .names import channel_of, checked
from .orders import Orders
from .presence.node import Node
from .published import Published

if TYPE_CHECKING:
    from collections.abc import Callable

    from .memberships import SessionGroups

logger = logger_of("wscontrollers.groups")


_BREATH = 64
"""After how many messages whoever publishes lets others run, even if the engine takes them at once."""


class _Opening:
    """An attempt to connect."""

    __slots__ = ("done", "failure")

    def __init__(self) -> None:
        self.done = Event()
        self.failure: Exception | None = None


class Hub(Hearing):
    """Connects the sessions of one event loop with an engine.

    Args:
        engine: What carries groups.
        history_of: What is kept of a group.
        changed: Told when the engine's state is another one.
        lease: Seconds after which others take this event loop for dead if it does not show itself.

    Attributes:
        sessions: By their ids, those that are in a group or said whose they are.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        history_of: Callable[[str], History | None],
        changed: Callable[[EngineState, str], None],
        lease: float = 15.0,
    ) -> None:
        self._engine = engine
        self._history_of = history_of
        self._changed = changed
        self._connection = None
        self._opening: _Opening | None = None
        self._closing = Event()
        self._closed = Event()
        self._groups = {}
        self.orders = Orders(self)
        self._opens_later = False
        self._own = None
        self._detached = Detached(engine.name)
        self.start = self._detached.start
        self._losses = Losses(self.start)
        self._published = 0
        self.node = Node(self, lease=lease)
        self.mover = Mover(self)
        self.sessions: dict[str, SessionGroups] = {}

    # Its life

    async def open(self) -> Connection:
        """Connect to the engine, if it is not done yet.

        Raises:
            EngineDownError: The engine is not there.
        """
        while self._connection is None:
            if self._opening is None:
                self._opening = _Opening()
                self.start(self._live)
            opening = self._opening
            await opening.done.wait()
            if opening.failure is not None:
                raise opening.failure
        return self._connection

    async def close(self) -> None:
        """Disconnect."""
        self._opens_later = False
        self._losses.tell()
        await self.node.close()
        if self._opening is not None:
            self._closing.set()
            await self._closed.wait()

    @property
    def connection(self) -> Connection | None:
        """The engine, if it is connected to."""
        return self._connection

    async def _live(self) -> None:
        """Hold the connection in a task of its own: contexts of an event loop are left by the task that entered them."""
        opening = self._opening
        assert opening is not None
        try:
            async with self._engine.connect(self) as connection:
                await self.orders.begin(connection)
                self._connection = connection
                self._subscribe_all(connection)
                opening.done.set()
                await self._closing.wait()
        except Exception as error:
            if opening.done.is_set():
                logger.exception("engine %s: it failed", self._engine.name)
            opening.failure = error
        finally:
            self._connection = self._opening = None
            opening.done.set()
            self._closing, closed, self._closed = Event(), self._closed, Event()
            closed.set()

    # Publishing

    async def publish(self, name: str, envelope: Envelope) -> Published:
        """Publish to a group; who publishes one message after the other lets others run now and then.

        Raises:
            EngineDownError: The engine did not take it in time.
            ValueError: It is no name of a group.
        """
        self._published += 1
        if not self._published % _BREATH:
            await checkpoint()  # what carries groups within a process waits for nothing
        group = self._groups.get(checked(name))
        data = envelope.encode()
        history, channel = (self._history_of(name), channel_of(name)) if group is None else (group.history, group.channel)
        connection = self._connection or await self.open()
        try:
            self._own = data, envelope
            position = await connection.publish(channel, data, history)
        finally:
            self._own = None
        mark = None if history is None else str(Mark(name, position))
        group = self._groups.get(name)
        if group is None:
            return Published(0, 0, mark)
        known = group.tally
        if known is None or known.offset != position.offset:
            return Published.on_its_way(mark)
        return known.published(mark)

    # Members

    def group(self, name: str) -> LocalGroup:
        """A group as far as it is here."""
        found = self._groups.get(name)
        if found is None:
            found = self._groups[name] = LocalGroup(name, history=self._history_of(name), counts=self._engine.is_dense)
        return found

    def find(self, name: str) -> LocalGroup | None:
        """A group that has members here, or None."""
        return self._groups.get(name)

    async def add(self, name: str, member: Member) -> LocalGroup | None:
        """Put a session into a group; on return the engine delivers to it, and what comes waits until it goes live.

        Returns:
            The group; None if the member left meanwhile.

        Raises:
            EngineDownError: The engine is not there; the member is in the group, and hears what is published in this process.
        """
        self.group(name).add(member)
        connection = await self.open()
        while not member.has_left:
            group = self.group(name)
            group.add(member)
            async with group.lock:
                if self._groups.get(name) is not group:
                    continue  # it was given up while this waited for its turn
                if group.carrier is not connection:
                    await self._subscribe(group, connection)
            return None if member.has_left else group
        return None

    async def _subscribe(self, group: LocalGroup, connection: Connection) -> None:
        """Have a connection deliver to a group; one that was delivered to by another gets what it missed between the two."""
        seen, group.pending = group.position, deque()
        try:
            position = await connection.subscribe(group.channel)
            group.carrier = connection
            if seen is None:
                group.position = position
                group.tell_gap(Gap(0, "engine", group.name), live=True)  # who is live joined while the engine was away
            else:
                group.pending.appendleft(position)
        finally:
            self._catch_up(group)  # if the engine made a note of it, it says where the group stands when it is back

    def _subscribe_all(self, connection: Connection) -> None:
        """Have another connection deliver to all groups that have members: it was connected to anew, or late."""
        for group in self._groups.values():
            if any(not member.is_catching_up for member in group.members.values()):  # else who joins sees to it
                self.start(partial(self._subscribe_anew, group, connection))

    async def _subscribe_anew(self, group: LocalGroup, connection: Connection) -> None:
        async with group.lock:
            is_wanted = self._groups.get(group.name) is group and group.members and self._connection is connection
            if is_wanted and group.carrier is not connection:
                with suppress(EngineDownError):  # it is noted, and its state is logged
                    await self._subscribe(group, connection)

    def open_later(self) -> None:
        """Try to connect until it succeeds: there are sessions that were let in without the engine."""
        if self._opens_later:
            return
        self._opens_later = True

        async def open_later() -> None:
            while self._opens_later and self._connection is None and any(group.members for group in self._groups.values()):
                await anyio.sleep(AGAIN)
                with suppress(EngineDownError):
                    await self.open()
            self._opens_later = False

        self.start(open_later)

    def remove(self, name: str, member: Member) -> None:
        """Take a session out of a group."""
        member.has_left = True
        group = self._groups.get(name)
        if group is None or group.members.get(member.life.id) is not member:
            return
        group.remove(member)
        if group.members:
            return

        async def give_up() -> None:
            async with group.lock:
                if group.members or self._groups.get(name) is not group:
                    return
                # It stays in its place until that is done: who joins meanwhile waits for the lock, and subscribes behind it.
                if self._connection is not None:
                    await self._connection.unsubscribe(group.channel)
                group.position = group.pending = group.carrier = None
                if not group.members:
                    del self._groups[name]

        self.start(give_up)
