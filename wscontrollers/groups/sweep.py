"""One publication on its way to all members of a group: one walk, and nobody waits for another."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from operator import length_hint
from typing import TYPE_CHECKING, Any

from ..logs import logger_of
from ..session.delivery import Delivery
from ..session.direct import write_to_each
from ..session.outbox import GONE, Outbox
from .member import Member
from .publication import Publication
from .published import Tally
from .rows import Row, Rows

if TYPE_CHECKING:
    from ..session.shared import SharedFrame

logger = logger_of("wscontrollers.groups")


class Sweep:
    """Hands a publication to members.

    Where nothing lies before it, a member's frame is written here, in the loop that a hand-written application has: to the
    transport, or by the server's `send`. For all that is not so simple, the member's own `offer` sees what to do.

    To write to a transport is to wait for nothing. A walk through a row of those with a `send` is a coroutine that is stepped by
    hand. If a `send` has to wait, what is left of that coroutine goes on in a task of that member's session; another walk goes on
    with the members behind it. They share one iterator, which is spent when the first of them is resumed: so each ends with the
    write that it waited for, and the loop has nothing to ask.

    Args:
        publication: What was published.
        rows: Who gets it.
    """

    __slots__ = ("_displaced", "_dropped", "_left", "_missed", "_publication", "_row", "_rows", "_walk")

    _row: Row
    _left: Iterator[Outbox]

    def __init__(self, publication: Publication, rows: Rows) -> None:
        self._publication = publication
        self._rows = rows
        self._missed = self._dropped = self._displaced = 0
        self._walk = 0

    def run(self, offset: int = 0) -> Tally:
        """Hand it to all of them.

        Args:
            offset: Its place in the group.

        Returns:
            What became of it.
        """
        for row in self._rows.rows:
            shared = self._framed(row.members[0])
            if shared is None:
                self._dropped += len(row.members)
            else:
                self._run_through(row, shared)
        for member in self._rows.others:
            self._offer(member)
        return Tally(offset, self._rows.size - self._missed - self._dropped, self._dropped, self._displaced)

    def _run_through(self, row: Row, shared: SharedFrame) -> None:
        self._row = row
        self._left = iter(row.outboxes)
        if row.is_direct:
            for outbox, error in write_to_each(self._left, shared.packet):
                if error is None:
                    self._offer(self._met)
                else:
                    self._failed(outbox, error)
            return
        while True:
            walk = self._walked(shared)
            try:
                waits_for = walk.send(None)
            except StopIteration:
                return
            self._walk += 1
            self._leave(walk, waits_for)

    async def _walked(self, shared: SharedFrame) -> None:
        number, event = self._walk, shared.event
        for outbox in self._left:
            if outbox.writing or not outbox.steps:
                self._offer(self._met)
                continue
            send = outbox.send_event  # Python 3.11 takes longer to call what is no method as if it were one
            try:
                await send(event)
            except Exception as error:
                if self._walk != number:
                    raise
                self._failed(outbox, error)

    @property
    def _met(self) -> Member:
        """Whose turn it is: looked up where it is needed, so that the loop need not count."""
        return self._row.members[-length_hint(self._left) - 1]

    def _framed(self, member: Member) -> SharedFrame | None:
        try:
            return self._publication.frame_for(member.life.framing)
        except Exception:
            logger.exception("session %s: a group's message could not be written for it", member.life.id)
            return None

    def _offer(self, member: Member) -> None:
        delivery = member.offer(self._publication)
        if delivery is Delivery.DROPPED:
            self._dropped += 1
        elif delivery is Delivery.DISPLACED:
            self._displaced += 1
        elif delivery is Delivery.CLOSED:
            self._missed += 1

    def _leave(self, walk: Coroutine[Any, Any, None], waits_for: Any) -> None:
        try:
            self._met.life.outbox.go_on_with(walk, waits_for)
        except Exception:
            logger.exception("groups: a message could not be delivered to a session that is slow and does not run")
            self._dropped += 1

    def _failed(self, outbox: Outbox, error: Exception) -> None:
        if isinstance(error, GONE):
            outbox.broke()
            self._missed += 1
        else:
            logger.error("session %s: a group's message could not be delivered", self._met.life.id, exc_info=error)
            self._dropped += 1
