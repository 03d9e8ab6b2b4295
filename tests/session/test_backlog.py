"""What waits for a slow peer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.session.backlog import Backlog, Entry

FRAME: dict[str, Any] = {"type": "websocket.send"}


def test_the_order_is_that_of_arrival() -> None:
    """First in, first out."""
    backlog = Backlog(3, 100)
    entries = [Entry(FRAME, 1) for _ in range(3)]
    for entry in entries:
        backlog.push(entry)
    assert [backlog.pop() for _ in range(3)] == entries


def test_room_is_counted_in_frames_and_bytes() -> None:
    """One frame may always wait, however big it is."""
    backlog = Backlog(2, 10)
    assert backlog.has_room(1000)
    backlog.push(Entry(FRAME, 6))
    assert backlog.has_room(4)
    assert not backlog.has_room(5)
    backlog.push(Entry(FRAME, 1))
    assert not backlog.has_room(1)


def test_the_newest_of_a_key_takes_the_place_of_the_older() -> None:
    """At the older one's place, with the newer one's size."""
    backlog = Backlog(9, 10)
    backlog.push(Entry(FRAME, 6, key="X"))
    assert backlog.replace("X", {"type": "newer"}, 2)
    assert not backlog.replace("Y", FRAME, 2)
    assert backlog.has_room(8)
    assert backlog.pop().frame == {"type": "newer"}
    assert not backlog.replace("X", FRAME, 2)


def test_a_bigger_one_of_a_key_needs_room() -> None:
    """One without room does not take the older one's place, which can be taken out for it."""
    backlog = Backlog(9, 10)
    backlog.push(Entry(FRAME, 3, key="X"))
    assert backlog.replace("X", FRAME, 20), "one alone may be as big as it is"
    assert backlog.replace("X", FRAME, 3)
    backlog.push(Entry(FRAME, 6, key="Y"))
    assert backlog.replace("X", FRAME, 4)
    assert not backlog.replace("X", FRAME, 5)
    assert not backlog.has_room(1)
    assert backlog.discard("X")
    assert not backlog.discard("X")
    assert [entry.key for entry in backlog] == ["Y"]
    assert backlog.has_room(4)


def test_several_of_a_key_leave_one_after_the_other() -> None:
    """The newest that still waits is the one that gives way, whichever of them left."""
    backlog = Backlog(10, 1000)
    first, second, third = (Entry({"text": text}, 1, "k") for text in "abc")
    for entry in (first, second, third):
        backlog.push(entry)
    assert backlog.pop() is first
    backlog.forget(third)
    assert backlog.replace("k", {"text": "d"}, 1)
    assert second.frame == {"text": "d"}
    assert backlog.pop() is second
    assert not backlog.replace("k", {"text": "e"}, 1)
    backlog.push(first)
    assert backlog.replace("k", {"text": "f"}, 1)


def test_only_what_may_be_dropped_is_shed() -> None:
    """The oldest of those first, as many as are needed."""
    backlog = Backlog(4, 100)
    kept, *expendable = [Entry(FRAME, 1, is_expendable=index > 0) for index in range(4)]
    for entry in (kept, *expendable):
        backlog.push(entry)
    assert backlog.shed(98) == 2
    assert list(backlog) == [kept, expendable[2]]
    assert backlog.shed(100) == 0, "it would not make room"
    assert backlog.shed(99) == 1
    assert not backlog.has_room(100)


@given(st.lists(st.tuples(st.sampled_from(["push", "replace", "pop", "forget", "shed"]), st.integers(0, 9), st.integers(0, 3))))
def test_what_is_counted_is_what_is_there(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is done to it, bytes and keys are those of the entries in it."""
    backlog = Backlog(5, 20)
    entries: list[Entry] = []
    for step, size, key in steps:
        if step == "push" and not backlog.replace(key, FRAME, size):
            entries.append(Entry(FRAME, size, key or None, is_expendable=bool(size % 2)))
            backlog.push(entries[-1])
        elif step == "pop" and backlog:
            backlog.pop()
        elif step == "forget" and entries:
            backlog.forget(entries[size % len(entries)])
        elif step == "shed":
            shed = backlog.shed(size)
            assert not shed or backlog.has_room(size)
        assert list(backlog._expendable) == [entry for entry in backlog if entry.is_expendable]
        assert backlog._spare == sum(entry.size for entry in backlog if entry.is_expendable)
        assert backlog._bytes == sum(entry.size for entry in backlog)
        assert set(backlog._keys) == {entry.key for entry in backlog if entry.key is not None}
