"""What was missed: by a group of this process whose engine was away, or by a client that comes back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from ..exceptions import EngineDownError
from ..messages import Gap, Recovered
from ..session.delivery import Delivery
from .engines.engine import Arrival, Connection, Page, Position
from .local import LocalGroup
from .marks import Mark

if TYPE_CHECKING:
    from .member import Member
    from .publication import Publication

PAGE = 200
"""How many messages are read at once."""
PENDING = 1000
"""How many wait while what came before them cannot be read."""


async def heal(group: LocalGroup, connection: Connection, target: Position) -> int | None:
    """Fetch what a group missed and hand it over; what is lost is told to every member.

    Args:
        group: The group; what arrives meanwhile waits.
        connection: The engine.
        target: The place from behind which everything arrives.

    Returns:
        None if nothing was lost; else how many messages were, 0 where that is not known.

    Raises:
        EngineDownError: The engine is away again; when it is back, this is tried anew.
    """
    if group.has_history and await _fetched(group, connection, target):
        return None
    return lose(group, target)


async def _fetched(group: LocalGroup, connection: Connection, target: Position) -> bool:
    """Hand over what is kept up to a place, and no more: what is behind it waits, and would come twice; whether that is all."""
    position, pending = group.position, group.pending
    assert position is not None
    while position.epoch != target.epoch or position.offset < target.offset:
        page = await connection.read(group.channel, position, PAGE)
        if group.pending is not pending:
            return True  # it was given up meanwhile, or is subscribed to anew
        if not page.is_complete:
            return False
        for offset, data in page.entries:
            position = Position(position.epoch, offset)
            group.deliver(data, position)
        if not page.entries or position == page.top:
            if position.epoch == target.epoch and position.offset < target.offset:
                group.position = target  # the engine counts what is not of this group too
            return position.epoch == target.epoch
    return True


def lose(group: LocalGroup, target: Position) -> int:
    """Go on behind a place without what is before it: every member is told. How many messages that are; 0 if it is not known."""
    seen, group.position = group.position, target
    count = target.offset - seen.offset if seen is not None and group.counts and target.epoch == seen.epoch else 0
    group.tell_gap(Gap(count, "trimmed" if group.has_history else "engine", group.name))
    return count


def shortened(pending: deque[Arrival | Position], target: Position) -> Position:
    """Let not too much wait for a fetch that is to be tried again; the place up to which it has to fetch then."""
    if len(pending) <= PENDING:
        return target
    last = pending[-1]
    pending.clear()
    return last if isinstance(last, Position) else last.position


async def recover(member: Member, group: LocalGroup, mark: Mark, connection: Connection) -> bool:
    """Send a session what it missed of a group since a mark, then let it go live.

    The session hears of the result first (`recovered`), then of what it missed, then of what arrived meanwhile: as fast as it
    takes it. From when it leaves the group on it hears nothing more.

    Returns:
        Whether it has everything now.
    """
    replay = _Replay(member, group, connection, mark.position)
    page = await replay.next_page()
    if member.has_left:
        return False
    if page is None:
        here = group.position
        member.life.tell(Recovered(group.name, complete=False, mark=None if here is None else str(Mark(group.name, here))))
        member.go_live(here)
        return False
    member.life.tell(Recovered(group.name, complete=True, mark=str(Mark(group.name, page.top))))
    return await replay.run(page)


class _Replay:
    """Sends what is kept behind a place, then what arrived meanwhile, until nothing is left of either.

    Args:
        member: The session in the group.
        group: The group.
        connection: The engine.
        last: The place.
    """

    def __init__(self, member: Member, group: LocalGroup, connection: Connection, last: Position) -> None:
        self._member = member
        self._group = group
        self._connection = connection
        self._last = last
        self._reason: Literal["engine", "trimmed"] = "trimmed"
        self._is_complete = True

    async def next_page(self) -> Page | None:
        """What comes next of what is kept; None if not all of it is there."""
        try:
            page = await self._connection.read(self._group.channel, self._last, PAGE)
        except EngineDownError:
            self._reason = "engine"
            return None
        self._reason = "trimmed"
        return page if page.is_complete else None

    async def run(self, page: Page | None) -> bool:
        """Send it all, from the first page on, and let the session go live; whether it has everything."""
        member = self._member
        while True:
            if not (await self._send_kept(page) and await self._send_waiting()):
                return False
            passed = member.passed
            if passed is None or passed == self._last or (passed.epoch == self._last.epoch and passed.offset < self._last.offset):
                member.go_live(self._last, self._group.position)
                return self._is_complete
            page = await self.next_page()
            if page is not None and not page.entries:
                page = None  # what arrived is not kept

    async def _send_kept(self, page: Page | None) -> bool:
        """Send what is kept, and tell what is not kept any more; whether the session still hears."""
        while page is not None:
            for offset, data in page.entries:
                self._last = Position(self._last.epoch, offset)
                publication = self._group.publication(data, self._last)
                if publication is not None and not await self._send(publication):
                    return False
            if not page.entries or self._last.offset >= page.top.offset:
                return True
            page = await self.next_page()
        if self._member.has_left:
            return False
        # It was trimmed faster than the session took it, or the engine is away.
        self._is_complete = False
        self._member.life.tell(Gap(0, self._reason, self._group.name))
        self._last = self._member.passed or self._last
        return True

    async def _send_waiting(self) -> bool:
        while (each := self._member.next_waiting()) is not None:
            if isinstance(each, Gap):
                self._member.life.tell(each)
            elif each.is_behind(self._last):
                self._last = each.position or self._last
                if not await self._send(each):
                    return False
        return not self._member.has_left

    async def _send(self, publication: Publication) -> bool:
        return not self._member.has_left and await self._member.replay(publication) is not Delivery.CLOSED
