"""The members of a group as a walk through them wants them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wscontrollers.groups.envelope import Envelope
from wscontrollers.groups.local import LocalGroup
from wscontrollers.groups.member import Member
from wscontrollers.groups.publication import Publication
from wscontrollers.groups.rows import Row, Rows, rows_of


class Outbox:
    """It can be written to directly, or not."""

    def __init__(self, direct: Any = None) -> None:
        self.direct = direct

    def go_direct(self) -> None:
        """It is known already."""


def member(name: str, *, dialect: str = "json", direct: Any = None, is_live: bool = True) -> Any:
    life: Any = SimpleNamespace(id=name, user=None, framing=SimpleNamespace(dialect=dialect), outbox=Outbox(direct))
    made = Member(life)
    if is_live:
        made.go_live()
    return made


def names(rows: Rows) -> tuple[list[list[str]], list[str]]:
    return [[each.life.id for each in row.members] for row in rows.rows], [each.life.id for each in rows.others]


def test_those_whose_frames_are_the_same_and_go_the_same_way_are_in_a_row() -> None:
    """In the order in which they came; who catches up is in none."""
    ann, bob, eve = member("ann"), member("bob"), member("eve", direct=object())
    dan, joe = member("dan", dialect="msgpack"), member("joe", is_live=False)
    rows = rows_of([ann, eve, joe, dan, bob])
    assert rows == (
        [
            Row((ann, bob), (ann.outbox, bob.outbox), False),
            Row((eve,), (eve.outbox,), True),
            Row((dan,), (dan.outbox,), False),
        ],
        [joe],
        5,
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ([["ann", "bob"]], ["joe"])),
        ({"exclude": frozenset({"ann"})}, ([["bob"]], ["joe"])),
        ({"exclude": frozenset({"ann", "bob"}), "to": "session:joe"}, ([], ["joe"])),
        ({"to": "session:dan"}, ([], [])),
    ],
)
def test_a_publication_may_be_for_some_of_them(options: dict[str, Any], expected: object) -> None:
    """Nobody else is in the rows, or counted."""
    rows = rows_of([member("ann"), member("bob"), member("joe", is_live=False)])
    some = rows.of(Publication("tea", Envelope({}, **options), None, is_marked=False))
    assert names(some) == expected
    assert some.size == sum(map(len, expected[0])) + len(expected[1])  # type: ignore[index]


def test_a_group_keeps_them_until_somebody_moves() -> None:
    """Who joins, leaves, begins to hear or begins to catch up is in another place at the next publication."""
    tea, ann, bob = LocalGroup("tea"), member("ann"), member("bob", is_live=False)
    tea.add(ann)
    assert tea.rows is tea.rows
    tea.add(bob)
    assert names(tea.rows) == ([["ann"]], ["bob"])
    bob.go_live()
    assert names(tea.rows) == ([["ann", "bob"]], [])
    ann.hold()
    assert names(tea.rows) == ([["bob"]], ["ann"])
    tea.remove(ann)
    assert names(tea.rows) == ([["bob"]], [])
    before = tea.rows
    ann.go_live()  # it is no member any more
    assert tea.rows is before
