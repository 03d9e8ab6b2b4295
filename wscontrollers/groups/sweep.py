"""One publication on its way to all members of a group: one walk, and nobody waits for another."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ..session.delivery import Delivery
from ..session.outbox import GONE, Outbox
from .member import Member
from .publication import Publication

if TYPE_CHECKING:
    from ..session.owner import Frame
    from ..session.shared import SharedFrame

logger = logging.getLogger("wscontrollers.groups")


class Sweep:
    """Hands a publication to members.

    Where nothing lies before it, a member's frame is written here, in the loop that a hand-written application has: to the
    transport, or by the server's `send`. The walk through the members is a coroutine that is stepped by hand. If a `send` has
    to wait, what is left of the walk goes on in a task of that member's session and ends with this write; another walk goes
    on with the members behind it. For all that is not so simple, the member's own `offer` sees what to do.

    Args:
        publication: What was published.
        members: Who is in the group.
    """

    __slots__ = ("_dropped", "_left", "_members", "_missed", "_outbox", "_publication", "_walk")

    def __init__(self, publication: Publication, members: Sequence[Member]) -> None:
        self._publication = publication
        self._left = iter(members)
        self._members = len(members)
        self._missed = self._dropped = 0
        self._outbox: Outbox | None = None
        self._walk = 0

    def run(self) -> tuple[int, int]:
        """Hand it to all of them.

        Returns:
            To how many it was sent, or for how many it waits; and for how many there was no room.
        """
        while True:
            walk = self._walked()
            try:
                waits_for = walk.send(None)
            except StopIteration:
                return self._members - self._missed - self._dropped, self._dropped
            self._walk += 1
            self._leave(walk, waits_for)

    async def _walked(self) -> None:
        publication, number = self._publication, self._walk
        is_for_all = publication.is_for_all
        dialect: str | None = None
        event: Frame = {}
        packet = b""
        for member in self._left:
            if not is_for_all and not publication.is_for(member):
                self._missed += 1
                continue
            outbox = member.outbox
            if outbox is None or outbox.writing or outbox.untold or not outbox.steps:
                self._offer(member)
                continue
            try:
                if member.dialect is not dialect:
                    shared = self._framed(member)
                    if shared is None:
                        self._dropped += 1
                        continue
                    dialect, event, packet = member.dialect, shared.event, shared.packet
                if outbox.direct is None or not outbox.direct.write(packet):
                    self._outbox = outbox
                    await outbox.send_event(event)
                    if self._walk != number:
                        return  # the others were seen to meanwhile
                    outbox.writes += 1
                else:
                    outbox.writes += 1
            except Exception as error:
                if self._walk != number:
                    raise
                self._failed(member, outbox, error)

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
        elif delivery is Delivery.CLOSED:
            self._missed += 1

    def _leave(self, walk: Coroutine[Any, Any, None], waits_for: Any) -> None:
        assert self._outbox is not None
        try:
            self._outbox.go_on_with(walk, waits_for)
        except Exception:
            logger.exception("groups: a message could not be delivered to a session that is slow and does not run")
            self._dropped += 1

    def _failed(self, member: Member, outbox: Outbox, error: Exception) -> None:
        if isinstance(error, GONE):
            outbox.broke()
            self._missed += 1
        else:
            logger.error("session %s: a group's message could not be delivered", member.life.id, exc_info=error)
            self._dropped += 1
