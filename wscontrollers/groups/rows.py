"""The members of a group as a walk through them wants them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .member import Member

if TYPE_CHECKING:
    from ..session.outbox import Outbox
    from .publication import Publication


class Row(NamedTuple):
    """Members whose frames are the same, and go the same way.

    Attributes:
        members: Who they are; at least one.
        outboxes: Theirs, in the same order: all that a walk touches of a member to whom a frame can be written at once.
        is_direct: Whether frames are written to the transport.
    """

    members: tuple[Member, ...]
    outboxes: tuple[Outbox, ...]
    is_direct: bool


class Rows(NamedTuple):
    """The members of a group.

    Attributes:
        rows: Those who hear at once.
        others: Those who catch up.
        size: How many they are.
    """

    rows: Sequence[Row]
    others: Sequence[Member]
    size: int

    def of(self, publication: Publication) -> Rows:
        """Those who get a publication."""
        if publication.is_for_all:
            return self
        members = [member for row in self.rows for member in row.members] + list(self.others)
        return rows_of(filter(publication.is_for, members))


def rows_of(members: Iterable[Member]) -> Rows:
    """Put members into rows; each is in the order in which they come."""
    rows: dict[tuple[str, bool], tuple[list[Member], list[Outbox]]] = {}
    others: list[Member] = []
    size = 0
    for member in members:
        size += 1
        outbox = member.outbox
        if outbox is None:
            others.append(member)
            continue
        way = (member.dialect, member.is_direct)
        row = rows.get(way)
        if row is None:
            row = rows[way] = ([], [])
        row[0].append(member)
        row[1].append(outbox)
    return Rows([Row(tuple(them), tuple(theirs), way[1]) for way, (them, theirs) in rows.items()], others, size)
