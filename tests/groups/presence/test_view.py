"""Who is in a group, as its members in one process have been told."""

from __future__ import annotations

from wscontrollers.groups.presence.entry import Entry
from wscontrollers.groups.presence.view import Changes, View


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def session(name: str, user: str | None = None, *, node: str = "n", info: str = "", at: float = 0.0) -> Entry:
    return Entry(name, node, info, 0.0, at, user)


def ann(info: str = "") -> dict[str, str]:
    return {"user": "ann", "info": info}


def somebody(name: str) -> dict[str, str]:
    return {"session": name, "info": ""}


NOTHING = Changes([], [])


def test_who_comes_is_told_once() -> None:
    """However often it is heard; a user with several sessions counts once."""
    view = View(2.0, Time())
    assert view.put(session("1", "ann"), session("2")) == Changes([ann(), somebody("2")], [])
    assert view.put(session("1", "ann"), session("2")) == NOTHING
    assert view.put(session("3", "ann")) == NOTHING
    assert view.told == [ann(), somebody("2")]


def test_a_session_of_nobody_leaves_at_once() -> None:
    """Nobody could come back in its place."""
    view = View(2.0, Time())
    view.put(session("1"))
    assert view.remove("1", "unknown") == Changes([], [somebody("1")])
    assert view.told == []


def test_a_user_leaves_when_his_time_to_come_back_is_over() -> None:
    """Until then those who come are told that he is there, for they will be told that he left."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"))
    assert view.remove("1") == NOTHING
    time.now = 1.9
    assert view.expire() == NOTHING
    assert view.told == [ann()]
    assert view.waits
    time.now = 2.0
    assert view.expire() == Changes([], [ann()])
    assert not view.waits
    assert view.expire() == NOTHING


def test_a_user_who_comes_back_in_time_was_never_away() -> None:
    """With another session, which can be in another process; the next time begins anew."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"))
    view.remove("1")
    time.now = 1.0
    assert view.put(session("2", "ann", node="m")) == NOTHING
    time.now = 3.0
    assert view.expire() == NOTHING
    view.remove("2")
    time.now = 4.9
    assert view.expire() == NOTHING
    time.now = 5.0
    assert view.expire() == Changes([], [ann()])


def test_a_user_with_another_session_has_not_left() -> None:
    """Whichever of them ends first."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"), session("2", "ann"))
    view.remove("1")
    time.now = 9.0
    assert view.expire() == NOTHING
    assert not view.waits


def test_without_lingering_everybody_leaves_at_once() -> None:
    """A linger of 0 is none."""
    view = View(0.0, Time())
    view.put(session("1", "ann"))
    assert view.remove("1") == Changes([], [ann()])


def test_of_several_sessions_the_last_word_counts() -> None:
    """What was given last is shown, in whatever order it is heard; when it changes, that is told as a join."""
    view = View(0.0, Time())
    assert view.put(session("1", "ann", info="here", at=1.0)) == Changes([ann("here")], [])
    assert view.put(session("2", "ann", info="away", at=3.0)) == Changes([ann("away")], [])
    assert view.put(session("1", "ann", info="late", at=2.0)) == NOTHING
    assert view.remove("2") == Changes([ann("late")], [])


def test_a_session_that_says_whose_it_is() -> None:
    """As nobody's it leaves, as the user's it comes."""
    view = View(2.0, Time())
    view.put(session("1"))
    assert view.put(session("1", "ann")) == Changes([ann()], [somebody("1")])
    assert view.remove("1") == NOTHING
    assert view.waits


def test_the_sessions_of_dead_nodes_leave_at_once() -> None:
    """Their time to come back went by while the node was not known to be dead; others of the user stay."""
    view = View(2.0, Time())
    view.put(session("1", "ann", node="a"), session("2", "bob", node="a"), session("3", "bob", node="b"))
    assert view.nodes == {"a", "b"}
    assert view.bury(frozenset({"a", "c"})) == Changes([], [ann()])
    assert view.nodes == {"b"}
    assert not view.waits


def test_what_was_read_anew_replaces_everything() -> None:
    """Only differences are told; who is missing can have left just now, and has his time to come back."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"), session("2"), session("3"))
    changes = view.replace([session("3"), session("4")])
    assert changes == Changes([somebody("4")], [somebody("2")])
    assert view.told == [ann(), somebody("3"), somebody("4")]
    time.now = 2.0
    assert view.expire() == Changes([], [ann()])
