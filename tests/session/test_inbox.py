"""What waits for a busy session."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.session.inbox import Inbox


def test_it_is_full_by_number() -> None:
    """Of what came, in its order; what came in one frame takes one place."""
    inbox = Inbox(2, 1000)
    assert not inbox.is_full
    inbox.put(deque(["a", "b"]))
    assert not inbox.is_full
    inbox.put("c")
    assert (inbox.is_full, list(inbox.each)) == (True, ["a", "b", "c"])
    assert [inbox.take() for _ in range(3)] == ["a", "b", "c"]
    assert not inbox.is_full


def test_it_is_full_by_the_size_of_large_ones() -> None:
    """Until they are taken; small ones do not count."""
    inbox = Inbox(100, 1000)
    for content in ("a" * 4095, "b" * 100_000, "c" * 31_072):
        assert not inbox.is_full
        inbox.put(content[0])
        inbox.weigh(content)
    assert inbox.is_full
    assert inbox.take() == "a"
    assert inbox.is_full
    assert inbox.take() == "b"
    assert not inbox.is_full


def test_what_waits_beyond_it_is_counted_in_bytes() -> None:
    """Each counts 256 more, as what is made of it is held, too."""
    inbox = Inbox(1, 600)
    for content, is_flooded in (("a" * 5000, False), ("é" * 20, False), ("b" * 48, False), ("c", True)):
        inbox.put(content)
        inbox.weigh(content)
        assert inbox.is_flooded is is_flooded
    inbox.take()
    assert not inbox.is_flooded


@given(st.lists(st.integers(0, 70_000) | st.none(), max_size=60))
def test_it_forgets_what_was_taken(steps: list[int | None]) -> None:
    """Whatever comes and goes: an empty one is as new, and has room."""
    inbox = Inbox(3, 100)
    for size in steps:
        if size is not None:
            inbox.put(size)
            inbox.weigh("x" * size)
        elif inbox:
            inbox.take()
    while inbox:
        inbox.take()
    assert (inbox.is_full, inbox.is_flooded) == (False, False)
    assert inbox._heavy_bytes == inbox._beyond_bytes == 0
