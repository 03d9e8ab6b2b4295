"""A group as far as it is in this process: its members, and where it stands."""

from __future__ import annotations

from collections import deque

from anyio import Lock

from ..logs import logger_of
from ..messages import Gap
from .alone import Alone
from .engines.engine import Arrival, Connection, History, Position
from .envelope import Envelope
from .member import Member
from .names import USER, channel_of
from .publication import Publication
from .published import Tally
from .rows import Rows, rows_of
from .sweep import Sweep

logger = logger_of("wscontrollers.groups")


class LocalGroup:
    """The members of one group in this process.

    Attributes:
        name: The group's name.
        channel: The engine's channel.
        counts: Whether what is lost can be counted.
        history: What is kept of it; then frames tell their place.
        members: By the id of their session; `add` and `remove` change them.
        position: The last message that was handed to the members; None until the engine delivers.
        pending: What arrived, and places from which on everything arrives again, in their order: something before them is being
            fetched.
        carrier: The connection that delivers to it; None until one does.
        lock: Held while it is subscribed to, or no more.
        tally: What became of the last publication.
        alone: What its members were handed without the engine; None where nothing was published that may be.
    """

    __slots__ = (
        "_rows",
        "alone",
        "carrier",
        "channel",
        "counts",
        "history",
        "lock",
        "members",
        "name",
        "pending",
        "position",
        "tally",
    )

    def __init__(self, name: str, *, history: History | None = None, counts: bool = True) -> None:
        self.name = name
        self.channel = channel_of(name)
        self.counts = counts
        self.history = history
        self.members: dict[str, Member] = {}
        self._rows: Rows | None = None
        self.position: Position | None = None
        self.pending: deque[Arrival | Position] | None = None
        self.carrier: Connection | None = None
        self.lock = Lock()
        self.tally: Tally | None = None
        self.alone: Alone | None = None

    @property
    def has_history(self) -> bool:
        """Whether something is kept of it."""
        return self.history is not None

    @property
    def rows(self) -> Rows:
        """The members as a walk through them wants them."""
        rows = self._rows
        if rows is None:
            rows = self._rows = rows_of(self.members.values())
        return rows

    def moved(self) -> None:
        """A member is in another row now, or in none."""
        self._rows = None

    def add(self, member: Member) -> None:
        """Put a session into the group, if it is not there."""
        if self.alone is not None and self.members.get(member.life.id) is not member:
            self.alone.came(member.life.id)
        self.members[member.life.id] = member
        member.group = self
        self._rows = None

    def remove(self, member: Member) -> None:
        """Take a session out of it."""
        del self.members[member.life.id]
        member.group = self._rows = None
        if self.alone is not None:
            self.alone.left(member.life.id)

    def publication(self, data: bytes, position: Position | None, envelope: Envelope | None = None) -> Publication | None:
        """What was published, for members; None if it is no envelope. For the arguments see `deliver`."""
        if envelope is None:
            try:
                envelope = Envelope.decode(data)
            except (ValueError, TypeError):
                logger.warning("group %r: something that is no message of ours was published to it", self.name)
                return None
        return Publication(self.name, envelope, position, is_marked=self.history is not None)

    def deliver(self, data: bytes, position: Position | None, envelope: Envelope | None = None) -> Tally:
        """Hand a message to all members, and note where the group stands now.

        Args:
            data: What was published.
            position: Its place; None where it did not come through an engine.
            envelope: What the data says, where that is known.
        """
        publication = self.publication(data, position, envelope)
        if position is not None:
            self.position = position
        offset = 0 if position is None else position.offset
        if publication is None:
            self.tally = Tally(offset, 0, 0)
        else:
            self.tally = Sweep(publication, self._rows_for(publication).of(publication)).run(offset)
        return self.tally

    def _rows_for(self, publication: Publication) -> Rows:
        """The members, without those who were handed the publication before the engine brought it."""
        if self.alone is None:
            return self.rows
        members = tuple(self.members.values())
        lacking = self.alone.without(publication.envelope.name, members)
        return self.rows if lacking is members else rows_of(lacking)

    def tell_gap(self, gap: Gap, *, live: bool = False) -> None:
        """Tell members that they missed something; the sessions of a user know of no group that they would be.

        Args:
            gap: What.
            live: Whether it is only for those who hear at once, and not for those who catch up.
        """
        if self.name.startswith(USER):
            gap = Gap(gap.dropped, gap.reason)
        for member in tuple(self.members.values()):
            if not (live and member.is_catching_up):
                member.miss(gap)
