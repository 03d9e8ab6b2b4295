"""What was missed: by a group of this process whose engine was away, or by a client that comes back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..exceptions import EngineDownError
from ..messages import Gap, Recovered
from .engines.engine import Connection, Page, Position
from .local import LocalGroup
from .marks import Mark

if TYPE_CHECKING:
    from .member import Member

logger = logging.getLogger("wscontrollers.groups")

PAGE = 200
"""How many messages are read at once."""


async def heal(group: LocalGroup, connection: Connection, target: Position) -> None:
    """Fetch what a group missed and hand it over; what is lost is told to every member, counted and logged.

    Args:
        group: The group; what arrives meanwhile waits.
        connection: The engine.
        target: The place from behind which everything arrives.

    Raises:
        EngineDownError: The engine is away again; when it is back, this is tried anew.
    """
    if not (group.has_history and await _fetched(group, connection, target)):
        lose(group, target)


async def _fetched(group: LocalGroup, connection: Connection, target: Position) -> bool:
    """Hand over what is kept up to a place, and no more: what is behind it waits, and would come twice; whether that is all."""
    position = group.position
    assert position is not None
    while position.epoch != target.epoch or position.offset < target.offset:
        page = await connection.read(group.channel, position, PAGE)
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


def lose(group: LocalGroup, target: Position) -> None:
    """Go on behind a place without what is before it: every member is told."""
    seen, group.position = group.position, target
    count = target.offset - seen.offset if seen is not None and group.counts and target.epoch == seen.epoch else 0
    logger.warning("group %r: %s messages were lost on their way here", group.name, count or "an unknown number of")
    group.tell_gap(Gap(count, "trimmed" if group.has_history else "engine", group.name))


async def recover(member: Member, group: LocalGroup, mark: Mark, connection: Connection) -> bool:
    """Send a session what it missed of a group since a mark, then let it go live.

    The session hears of the result first (`recovered`), then of what it missed, then of what arrived meanwhile.

    Returns:
        Whether it has everything now.
    """
    here = group.position
    page = await _page(connection, group, mark.position)
    if page is None:
        member.life.tell(Recovered(group.name, complete=False, mark=None if here is None else str(Mark(group.name, here))))
        member.go_live(here)
        return False
    member.life.tell(Recovered(group.name, complete=True, mark=str(Mark(group.name, page.top))))
    last = mark.position
    while page.entries:
        for offset, data in page.entries:
            last = Position(last.epoch, offset)
            publication = group.publication(data, last)
            if publication is not None:
                await member.replay(publication)
        if last.offset >= page.top.offset:
            break
        page = await _page(connection, group, last)
        if page is None:  # it was trimmed faster than the session took it
            member.life.tell(Gap(0, "trimmed", group.name))
            member.go_live(last, group.position)
            return False
    member.go_live(last, group.position)
    return True


async def _page(connection: Connection, group: LocalGroup, after: Position) -> Page | None:
    """What came behind a place; None if not all of it is there."""
    try:
        page = await connection.read(group.channel, after, PAGE)
    except EngineDownError:
        return None
    return page if page.is_complete else None
