"""What was handed to the members of one process without the engine, which may have taken it all the same."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Final

from ..exceptions import EngineDownError
from .published import Published

if TYPE_CHECKING:
    from .envelope import Envelope
    from .hub import Hub
    from .member import Member

MOST: Final = 10_000
"""How many publications of a group are remembered; the oldest are forgotten."""


class Alone:
    """Knows a group's publications that its members here have, so that none of them has one twice when the engine brings it.

    Args:
        most: How many are remembered.
    """

    __slots__ = ("_begun", "_came", "_count", "_handed", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._begun: set[str] = set()
        self._handed: dict[str, int] = {}
        self._came: dict[str, int] = {}
        self._count = 0

    def begin(self, name: str) -> None:
        """A publication is given to the engine."""
        self._begun.add(name)

    def end(self, name: str) -> bool:
        """The engine took it, or did not answer; whether it is still to arrive."""
        is_on_its_way = name in self._begun
        self._begun.discard(name)
        return is_on_its_way

    def handed(self, name: str) -> None:
        """All members have it now."""
        self._count += 1
        self._handed[name] = self._count
        if len(self._handed) > self._most:
            del self._handed[next(iter(self._handed))]

    def came(self, session: str) -> None:
        """A member came, and has nothing of what was handed before."""
        if self._count:
            self._came[session] = self._count

    def left(self, session: str) -> None:
        """It is no member any more."""
        self._came.pop(session, None)

    def without(self, name: str | None, members: tuple[Member, ...]) -> tuple[Member, ...]:
        """Those members that do not have a publication which the engine brings.

        Args:
            name: Its name, if it was given one.
            members: All of them.
        """
        if name is None:
            return members
        self._begun.discard(name)
        number = self._handed.pop(name, None)
        if number is None:
            return members
        return tuple(member for member in members if self._came.get(member.life.id, 0) >= number)


async def publish_or_hand(hub: Hub, group: str, envelope: Envelope) -> Published:
    """Publish to a group, and if the engine does not take it in time hand it to the members that are here.

    The engine may have taken it all the same. So it is given a name, by which it is known when it comes back.
    """
    name = token_hex(8)
    named = envelope._replace(name=name)
    local = hub.find(group)
    if local is None:
        try:
            return await hub.publish(group, named)
        except EngineDownError:
            return Published(0, 0)
    alone = local.alone = local.alone or Alone()
    alone.begin(name)
    try:
        return await hub.publish(group, named)
    except EngineDownError:
        if not alone.end(name):
            return Published.on_its_way()  # it has arrived, though the engine did not say so
        tally = local.deliver(b"", None, named)
        alone.handed(name)
        return tally.published()
    finally:
        alone.end(name)
