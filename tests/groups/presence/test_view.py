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


def news(view: View) -> Changes:
    """What the members are told now."""
    changes = view.take()
    assert not view.has_news
    return changes


def test_who_comes_is_told_once() -> None:
    """However often it is heard; a user with several sessions counts once."""
    view = View(2.0, Time())
    view.put(session("1", "ann"), session("2"))
    assert news(view) == Changes([ann(), somebody("2")], [])
    view.put(session("1", "ann"), session("2"))
    assert news(view) == NOTHING
    view.put(session("3", "ann"))
    assert news(view) == NOTHING
    assert view.told == [ann(), somebody("2")]


def test_a_session_of_nobody_leaves_at_once() -> None:
    """Nobody could come back in its place."""
    view = View(2.0, Time())
    view.put(session("1"))
    news(view)
    view.remove("1", "unknown")
    assert news(view) == Changes([], [somebody("1")])
    assert view.told == []


def test_a_user_leaves_when_his_time_to_come_back_is_over() -> None:
    """Until then those who come are told that he is there, for they will be told that he left."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"))
    news(view)
    view.remove("1")
    assert news(view) == NOTHING
    time.now = 1.9
    view.expire()
    assert news(view) == NOTHING
    assert view.told == [ann()]
    assert view.waits
    time.now = 2.0
    view.expire()
    assert news(view) == Changes([], [ann()])
    assert not view.waits
    view.expire()
    assert news(view) == NOTHING


def test_a_user_who_comes_back_in_time_was_never_away() -> None:
    """With another session, which can be in another process; the next time begins anew."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"))
    news(view)
    view.remove("1")
    news(view)
    time.now = 1.0
    view.put(session("2", "ann", node="m"))
    assert news(view) == NOTHING
    time.now = 3.0
    view.expire()
    assert news(view) == NOTHING
    view.remove("2")
    news(view)
    time.now = 4.9
    view.expire()
    assert news(view) == NOTHING
    time.now = 5.0
    view.expire()
    assert news(view) == Changes([], [ann()])


def test_a_user_with_another_session_has_not_left() -> None:
    """Whichever of them ends first."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"), session("2", "ann"))
    news(view)
    view.remove("1")
    news(view)
    time.now = 9.0
    view.expire()
    assert news(view) == NOTHING
    assert not view.waits


def test_without_lingering_everybody_leaves_at_once() -> None:
    """A linger of 0 is none."""
    view = View(0.0, Time())
    view.put(session("1", "ann"))
    news(view)
    view.remove("1")
    assert news(view) == Changes([], [ann()])


def test_of_several_sessions_the_last_word_counts() -> None:
    """What was given last is shown, in whatever order it is heard; when it changes, that is told as a join."""
    view = View(0.0, Time())
    view.put(session("1", "ann", info="here", at=1.0))
    assert news(view) == Changes([ann("here")], [])
    view.put(session("2", "ann", info="away", at=3.0))
    assert news(view) == Changes([ann("away")], [])
    view.put(session("1", "ann", info="late", at=2.0))
    assert news(view) == NOTHING
    view.remove("2")
    assert news(view) == Changes([ann("late")], [])


def test_a_session_that_says_whose_it_is() -> None:
    """As nobody's it leaves, as the user's it comes."""
    view = View(2.0, Time())
    view.put(session("1"))
    news(view)
    view.put(session("1", "ann"))
    assert news(view) == Changes([ann()], [somebody("1")])
    view.remove("1")
    assert news(view) == NOTHING
    assert view.waits


def test_the_sessions_of_dead_nodes_leave_at_once() -> None:
    """Their time to come back went by while the node was not known to be dead; others of the user stay."""
    view = View(2.0, Time())
    view.put(session("1", "ann", node="a"), session("2", "bob", node="a"), session("3", "bob", node="b"))
    news(view)
    assert view.nodes == {"a", "b"}
    view.bury(frozenset({"a", "c"}))
    assert news(view) == Changes([], [ann()])
    assert view.nodes == {"b"}
    assert not view.waits


def test_what_was_read_anew_replaces_everything() -> None:
    """Only differences are told; who is missing can have left just now, and has his time to come back."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann"), session("2"), session("3"))
    news(view)
    view.replace([session("3"), session("4")])
    assert news(view) == Changes([somebody("4")], [somebody("2")])
    assert view.told == [ann(), somebody("3"), somebody("4")]
    time.now = 2.0
    view.expire()
    assert news(view) == Changes([], [ann()])


def test_what_is_undone_before_it_is_told_is_no_news() -> None:
    """Who came and left, or says again what he said before: nobody was told of either."""
    view = View(2.0, Time())
    view.put(session("1", "ann", info="here"))
    assert news(view) == Changes([ann("here")], [])
    view.put(session("2"), session("3", "bob"))
    assert view.has_news
    view.remove("2", "3")
    assert not view.has_news
    assert not view.waits
    view.put(session("1", "ann", info="away", at=1.0))
    assert view.has_news
    view.put(session("1", "ann", info="here", at=2.0))
    assert news(view) == NOTHING
    view.put(session("4"))
    news(view)
    view.remove("4")
    assert view.has_news
    view.put(session("4"))
    assert news(view) == NOTHING


def test_several_changes_are_told_as_one() -> None:
    """What is told is how it is now, and not how it came to that."""
    view = View(0.0, Time())
    view.put(session("1", "ann", info="here"))
    view.put(session("1", "ann", info="away", at=1.0))
    view.put(session("2"), session("3"))
    view.remove("2")
    assert news(view) == Changes([ann("away"), somebody("3")], [])
    view.remove("1")
    view.put(session("4"))
    view.remove("3")
    assert news(view) == Changes([somebody("4")], [ann("away"), somebody("3")])


def test_who_leaves_with_a_word_that_was_not_told() -> None:
    """He is there with the word before it until his time is over."""
    time = Time()
    view = View(2.0, time)
    view.put(session("1", "ann", info="here"))
    news(view)
    view.put(session("1", "ann", info="away", at=1.0))
    view.remove("1")
    assert news(view) == NOTHING
    assert view.told == [ann("here")]
    time.now = 2.0
    view.expire()
    assert view.told == [ann("here")]
    assert news(view) == Changes([], [ann("here")])
