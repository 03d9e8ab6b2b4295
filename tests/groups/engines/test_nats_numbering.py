"""When the messages of a stream were published."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.groups.engines.nats_numbering import Past, seconds_of


def test_a_servers_time() -> None:
    """It has up to nine places, and all of them count as far as a float goes."""
    assert seconds_of("1970-01-01T00:00:01Z") == 1.0
    assert seconds_of("1970-01-02T00:00:00.25Z") == 86400.25
    assert abs(seconds_of("2026-11-23T05:06:09.308335616Z") - 1795410369.308335616) < 1e-6


def test_nothing_is_known_of_what_was_before() -> None:
    """A place that is before all that was noted says nothing."""
    past = Past()
    assert past.after(5) == float("-inf")
    past.note(10, 100.0)
    assert past.after(9) == float("-inf")
    assert past.after(10) == past.after(11) == 100.0


def test_a_stream_that_stands_still() -> None:
    """The longer it stands at a place, the younger is all that comes behind."""
    past = Past()
    for time in (1.0, 2.0, 3.0):
        past.note(7, time)
    assert past.after(7) == 3.0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5000))
def test_what_is_said_is_true(steps: list[int]) -> None:
    """Whatever was noted: what came behind a place came after the time that is told, however much was thinned out."""
    past = Past()
    came: list[int] = []  # when each message came
    for time, step in enumerate(steps):
        came += [time] * step
        past.note(len(came), time + 0.5)
    for place in range(0, len(came) + 1, 1 + len(came) // 50):
        assert all(time >= past.after(place) for time in came[place : place + 1])


def test_it_does_not_grow_without_bound() -> None:
    """After many notes the old ones are fewer, and the newest is as it was."""
    past = Past()
    for place in range(10_000):
        past.note(place, float(place))
    assert len(past) < 2100
    assert past.after(9_999) == 9_999.0
    assert 5_000 - 20 < past.after(5_000) <= 5_000
