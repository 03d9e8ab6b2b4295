"""The members of a group in one process who hear of those that come and leave, wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from ...exceptions import EngineDownError
from ...logs import logger_of
from ...messages import Presence
from ...session.delivery import Overflow
from ...session.watch import watch_of
from ...session.wire import event_of
from ..engines.engine import Arrival, Connection, Position
from .entry import Entry, Notice, entries_in, notice_in
from .pace import Pace
from .places import channel_of, space_of
from .view import View

if TYPE_CHECKING:
    from ...session.clock import Clock
    from ...session.life import Life
    from .declared import PresenceOf

logger = logger_of("wscontrollers.groups")


class Audience:
    """Hears what all nodes tell of a group, and tells the members of this one.

    What other nodes tell is numbered by the engine. When something of it is missing, or this node was not there, everything is
    read again: then it is `stale`.

    Members are told at the group's `Pace`. What comes meanwhile waits and is told in one frame, and who comes meanwhile is sent
    its list with that: so all know the same at any time, and each frame is written once.

    Args:
        group: The name of the group.
        node: The node that it is in: what that one tells is known here already.
        declared: How members hear of each other.
        clock: The time.

    Attributes:
        view: Who is there.
        is_stale: Whether everything is to be read again.
        is_new: Whether it was never read.
    """

    __slots__ = (
        "_clock",
        "_group",
        "_hearing",
        "_is_subscribed",
        "_is_watched",
        "_missed",
        "_newcomers",
        "_node",
        "_pace",
        "_position",
        "is_new",
        "is_stale",
        "view",
    )

    def __init__(self, group: str, node: str, declared: PresenceOf[Any], clock: Clock) -> None:
        self.view = View(declared.linger, clock.now)
        self.is_stale = self.is_new = True
        self._group = group
        self._node = node
        self._clock = clock
        self._pace = Pace(declared.interval, declared.burst)
        self._hearing: dict[str, Life] = {}
        self._newcomers: dict[str, Life] = {}
        self._is_subscribed = self._is_watched = False
        self._position: Position | None = None
        self._missed: list[Notice] | None = None

    # Its members

    def welcome(self, entry: Entry, life: Life) -> None:
        """A session came: it is to be sent who is there, itself among them, and the others are to be told of it."""
        self.view.put(entry)
        self._newcomers[entry.session] = life
        self._tell()

    def put(self, *entries: Entry) -> None:
        """Sessions are there, or changed."""
        self.view.put(*entries)
        self._tell()

    def leave(self, session: str) -> None:
        """A session of this node left."""
        self._hearing.pop(session, None)
        self._newcomers.pop(session, None)
        self.view.remove(session)
        self._tell()

    def bury(self, nodes: frozenset[str]) -> None:
        """Nodes died, and their sessions with them."""
        self.view.bury(nodes)
        self._tell()

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
        self._watch(False)
        self._is_subscribed = False
        self.is_stale = self.is_new = True
        await connection.unsubscribe(channel_of(self._group))

    def dismiss(self) -> None:
        """Tell nobody anything any more."""
        self._hearing.clear()
        self._newcomers.clear()

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
            self._tell()

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
            self.view.replace(sorted([*others, *own], key=lambda each: each.since))
            self.is_new = False
        except BaseException:
            self.is_stale = True
            raise
        finally:
            missed, self._missed = self._missed, None
            for notice in missed:
                self._apply(notice)
            self._tell()

    def _apply(self, notice: Notice) -> None:
        self.view.put(*notice.joined)
        self.view.remove(*notice.left)

    # Telling

    def glance(self) -> bool:
        """See `Watched.glance`: tell what waits, if it is time."""
        self._tell()
        return self._is_watched

    def inspect(self, now: float) -> None:
        """See `Watched.inspect`: see whose time to come back is over."""
        self.view.expire()
        self._tell()

    def failed(self, error: Exception) -> None:
        """See `Watched.failed`: it tries again at the next look."""
        logger.error("group %r: its members could not be told who is there", self._group, exc_info=error)

    def _tell(self) -> None:
        """Tell the news, and who is there to those who came, now or when it is time."""
        now = self._clock.now()
        if not self._hearing and not self._newcomers:
            self.view.take()  # there is nobody to tell
        elif (self.view.has_news or self._newcomers) and self._pace.allows(now):
            self._pace.spend(now)
            self._announce()
        self._watch(self.view.waits or self.view.has_news or bool(self._newcomers))

    def _announce(self) -> None:
        joined, left = self.view.take()
        if joined or left:
            self._send(Presence(self._group, joined, left), self._hearing.values())
        newcomers, self._newcomers = self._newcomers, {}
        if newcomers:
            self._hearing |= newcomers
            # What members hear later builds on it: it is never dropped.
            self._send(Presence(self._group, self.view.told, []), newcomers.values(), Overflow.CLOSE)

    def _send(self, frame: Presence, lives: Iterable[Life], policy: Overflow | None = None) -> None:
        """Send a frame to sessions, written once for each way of framing; without a policy the one of their controllers holds."""
        events: dict[str, tuple[MutableMapping[str, Any], int] | None] = {}
        for life in tuple(lives):
            try:
                dialect = life.framing.dialect
                if dialect not in events:
                    written = life.framing.control(frame)
                    events[dialect] = None if written is None else event_of(written)
                event = events[dialect]
                if event is not None:
                    life.outbox.send_nowait({**event[0]}, event[1], policy or life.wire.overflow)
            except Exception:
                logger.exception("session %s: it could not be told who is in group %r", life.id, self._group)

    def _watch(self, is_on: bool) -> None:
        if is_on != self._is_watched:
            self._is_watched = is_on
            watch = watch_of(self._clock)
            (watch.add if is_on else watch.remove)(self)
