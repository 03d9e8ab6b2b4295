"""The members of a group in one process who hear of those that come and leave, wherever they are."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...exceptions import EngineDownError
from ...messages import Presence
from ...session.watch import watch_of
from ...session.wire import event_of
from ..engines.engine import Arrival, Connection, Position
from .entry import Entry, Notice, entries_in, notice_in
from .places import channel_of, space_of
from .view import Changes, View

if TYPE_CHECKING:
    from ...session.clock import Clock
    from ...session.life import Life

logger = logging.getLogger("wscontrollers.groups")


class Audience:
    """Hears what all nodes tell of a group, and tells the members of this one.

    What other nodes tell is numbered by the engine. When something of it is missing, or this node was not there, everything is
    read again: then it is `stale`.

    Args:
        group: The name of the group.
        node: The node that it is in: what that one tells is known here already.
        linger: Seconds after which members are told that a user left.
        clock: The time, for those seconds.

    Attributes:
        view: Who is there.
        is_stale: Whether everything is to be read again.
        is_new: Whether it was never read.
    """

    __slots__ = ("_clock", "_group", "_hearing", "_is_subscribed", "_missed", "_node", "_position", "is_new", "is_stale", "view")

    def __init__(self, group: str, node: str, linger: float, clock: Clock) -> None:
        self.view = View(linger, clock.now)
        self.is_stale = self.is_new = True
        self._group = group
        self._node = node
        self._clock = clock
        self._hearing: dict[str, Life] = {}
        self._is_subscribed = False
        self._position: Position | None = None
        self._missed: list[Notice] | None = None

    # Its members

    def welcome(self, entry: Entry, life: Life) -> None:
        """A session came: it is sent who is there, itself among them, and the others are told of it."""
        self.put(entry)
        self._hearing[entry.session] = life
        try:
            life.tell(Presence(self._group, self.view.told, []))
        except Exception:
            logger.exception("session %s: it could not be told who is in group %r", life.id, self._group)

    def put(self, *entries: Entry) -> None:
        """Sessions are there, or changed."""
        self._tell(self.view.put(*entries))

    def leave(self, session: str) -> None:
        """A session of this node left."""
        self._hearing.pop(session, None)
        self._tell(self.view.remove(session))

    def bury(self, nodes: frozenset[str]) -> None:
        """Nodes died, and their sessions with them."""
        self._tell(self.view.bury(nodes))

    # What the engine tells

    async def open(self, connection: Connection, own: Iterable[Entry]) -> None:
        """Hear what is told from now on, and read who is there; nothing between the two is missed.

        Args:
            connection: The engine.
            own: The sessions of this node.

        Raises:
            EngineDownError: The engine does not answer; it is to be tried again.
        """
        if not self._is_subscribed:
            self._position = None
            try:
                position = await connection.subscribe(channel_of(self._group))
            except EngineDownError:
                self._is_subscribed = True  # when it is back, the engine makes good for it
                raise
            self._is_subscribed = True
            self._position = self._position or position
        await self._read(connection, own)

    async def close(self, connection: Connection) -> None:
        """Hear no more."""
        watch_of(self._clock).remove(self)
        self._is_subscribed = False
        self.is_stale = self.is_new = True
        await connection.unsubscribe(channel_of(self._group))

    def dismiss(self) -> None:
        """Tell nobody anything any more."""
        self._hearing.clear()

    def arrived(self, arrival: Arrival) -> None:
        """Another node tells something."""
        position = self._position
        if position is not None and (position.epoch != arrival.position.epoch or arrival.previous > position.offset):
            self.is_stale = True
        self._position = arrival.position
        notice = notice_in(arrival.data)
        if notice is None or notice.node == self._node:
            return
        if self._missed is not None:
            self._missed.append(notice)
        else:
            self._apply(notice)

    def resumed(self, position: Position) -> None:
        """Hearing was interrupted, and goes on from a place."""
        if self._position != position:
            self.is_stale = True
            self._position = position

    async def _read(self, connection: Connection, own: Iterable[Entry]) -> None:
        self._missed = []
        self.is_stale = False  # what is missed from here on makes it stale again
        try:
            # In this order: a node that has an entry was alive before.
            held = await connection.entries(space_of(self._group))
            alive = await connection.alive()
            others = [each for each in entries_in(held) if each.node in alive and each.node != self._node]
            self._tell(self.view.replace(sorted([*others, *own], key=lambda each: each.since)))
            self.is_new = False
        except BaseException:
            self.is_stale = True
            raise
        finally:
            missed, self._missed = self._missed, None
            for notice in missed:
                self._apply(notice)

    def _apply(self, notice: Notice) -> None:
        self._tell(self.view.put(*notice.joined))
        self._tell(self.view.remove(*notice.left))

    # Telling

    def glance(self) -> None:
        """See `Watched.glance`: nothing here is so urgent."""

    def inspect(self, now: float) -> None:
        """See `Watched.inspect`: tell of those whose time to come back is over."""
        self._tell(self.view.expire())
        if not self.view.waits:
            watch_of(self._clock).remove(self)

    def _tell(self, changes: Changes) -> None:
        if self.view.waits:
            watch_of(self._clock).add(self)
        if not changes:
            return
        frame = Presence(self._group, changes.joined, changes.left)
        frames: dict[str, str | bytes | None] = {}
        for life in tuple(self._hearing.values()):
            try:
                dialect = life.framing.dialect
                if dialect not in frames:
                    frames[dialect] = life.framing.control(frame)
                told = frames[dialect]
                if told is not None:
                    life.outbox.send_nowait(*event_of(told), life.wire.overflow)
            except Exception:
                logger.exception("session %s: it could not be told who came and left", life.id)
