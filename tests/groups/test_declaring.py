"""`@group` and `Group`."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import DeclarationError
from wscontrollers.groups import Group, History, group
from wscontrollers.groups.declaring import Declarations


def test_a_pattern_matches_whole_names() -> None:
    """A parameter is one or more characters, all but the last without a colon; everything else stands for itself."""
    room = Group("room:{room}:{n}.x")
    assert room.match("room:a b:7.x") == {"room": "a b", "n": "7"}
    assert room.match("room:a:b:7.x") == {"room": "a", "n": "b:7"}
    assert [room.match(name) for name in ("room:a:7yx", "room::7.x", "room:a:.x", "xroom:a:7.x")] == [None] * 4
    assert Group("news").match("news") == {}


def test_the_mark_leaves_the_function_as_it_is() -> None:
    """The guard can be called in a unit test."""

    async def guard(room: str) -> None: ...

    assert group("room:{room}")(guard) is guard


def test_the_declaration_that_says_most_counts() -> None:
    """Whatever the order: a general one takes no name from one that is meant for it, and its guard skips no other."""

    @group("room:{room}")
    async def room(room: str) -> None: ...

    lobby = Group("room:lobby", history=History(size=5, age=None))
    staff = Group("room:{room}:staff")
    for declared in (Declarations([lobby, room, staff]), Declarations([room, staff, lobby])):
        assert declared.of("room:5:staff") is staff
        general = declared.of("room:5:staff:x")
        assert general is not None
        assert general.guard is room
        assert declared.of("room:lobby") is lobby
        assert declared.history_of("room:lobby") == History(5, None)
        assert declared.history_of("room:tea") is None
        assert declared.of("elsewhere") is None


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "no name of a group"),
        (7, "no name of a group"),
        ("room:{}", "is not clear"),
        ("room:{a}{a}", "is not clear"),
        ("room:{a", "is not clear"),
        ("user:{id}", "stands for users or sessions"),
    ],
)
def test_patterns_that_cannot_be(pattern: Any, fault: str) -> None:
    """Each is told where it is declared."""
    with pytest.raises(DeclarationError, match=fault):
        Group(pattern)


def test_mistakes_of_declarations() -> None:
    """A guard that is not async, something that is no group, two of one form."""

    def guard() -> None: ...

    with pytest.raises(DeclarationError, match="guard of a group is not async"):
        group("news")(guard)
    with pytest.raises(DeclarationError, match="is no group"):
        Declarations([guard])
    for first, second in (("a:{x}", "a:{y}"), ("{x}:b", "a:{y}"), ("news", "news")):
        with pytest.raises(DeclarationError, match="neither says more"):
            Declarations([Group(first), Group(second)])
    Declarations([Group("{x}:b"), Group("{x}:c")])
    with pytest.raises(ValueError, match="nothing to keep"):
        History(size=0)
