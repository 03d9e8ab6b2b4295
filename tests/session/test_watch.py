"""One look-out for all sessions of an event loop."""

from __future__ import annotations

import anyio
import pytest

from wscontrollers.session.clock import Clock
from wscontrollers.session.watch import Watch, watch_of


class Watched:
    """Counts how often it is looked after."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.failures: list[Exception] = []
        self.glances = 0
        self.is_urgent = True
        self.inspected: list[float] = []
        self.seen = anyio.Event()

    def glance(self) -> bool:
        self.glances += 1
        self.seen.set()
        if self.fault is not None:
            raise self.fault
        return self.is_urgent

    def inspect(self, now: float) -> None:
        self.inspected.append(now)
        if self.fault is not None:
            raise self.fault

    def failed(self, error: Exception) -> None:
        self.failures.append(error)
        if isinstance(error, ValueError):
            raise error


class Stopped(Clock):
    def now(self) -> float:
        return 5.0


async def test_it_glances_at_each_while_it_is_watched() -> None:
    """A watched session is looked at within a tick by itself, and not any more when it was removed."""
    watch, watched = Watch(Stopped()), Watched()
    watch.add(watched)
    with anyio.fail_after(3):
        await watched.seen.wait()
    watch.remove(watched)
    glances = watched.glances
    watch.glance()
    watch.inspect()
    assert (watched.glances, watched.inspected) == (glances, [])


async def test_who_has_nothing_to_see_to_sleeps() -> None:
    """It is passed over at each tick, until it wakes; its limits are looked at all the same."""
    watch, watched = Watch(Stopped()), Watched()
    watched.is_urgent = False
    watch.add(watched)
    watch.glance()
    watch.glance()
    watch.inspect()
    assert (watched.glances, watched.inspected) == (1, [5.0])
    watched.is_urgent = True
    watch.wake(watched)
    watch.glance()
    watch.glance()
    assert watched.glances == 3
    watch.remove(watched)
    watch.glance()
    assert watched.glances == 3


async def test_who_moves_the_clock_has_the_limits_looked_at() -> None:
    """`inspect` gives each the clock's time; one that leaves meanwhile harms nobody."""
    watch, one, other = Watch(Stopped()), Watched(), Watched()
    watch.add(one)
    watch.add(other)
    watch.inspect()
    assert one.inspected == other.inspected == [5.0]
    watch.remove(one)
    watch.remove(other)


@pytest.mark.parametrize(("fault", "looks"), [(KeyError("a"), 2), (ValueError("b"), 1)])
async def test_what_one_fails_with_is_no_end_for_others(fault: Exception, looks: int, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and the others are looked after as before; one that cannot even be told is left alone, and logged."""
    watch, one, other = Watch(Stopped()), Watched(fault), Watched()
    watch.add(one)
    watch.add(other)
    for _ in range(2):
        watch.glance()
    watch.inspect()
    assert (other.glances, other.inspected) == (2, [5.0])
    assert one.glances == looks
    assert one.failures == [fault] * (3 if looks == 2 else 1)
    assert [record.exc_info is not None for record in caplog.records] == [True] * (looks == 1)
    watch.remove(one)
    watch.remove(other)


async def test_there_is_one_for_each_loop_and_clock() -> None:
    """All sessions that live by one clock share it."""
    clock = Stopped()
    assert watch_of(clock) is watch_of(clock)
    assert watch_of(clock) is not watch_of(Stopped())
