"""How often members are told."""

from __future__ import annotations

from wscontrollers.groups.presence.pace import Pace


def allowed(pace: Pace, *moments: float) -> list[float]:
    """Those of some moments at which it was time, if it was done each time."""
    found: list[float] = []
    for now in moments:
        if pace.allows(now):
            pace.spend(now)
            found.append(now)
    return found


def test_a_few_at_once_then_one_an_interval() -> None:
    """However often it is asked for."""
    assert allowed(Pace(2.0, 3), 0, 0, 0, 0, 1, 1.9, 2, 2, 3, 4, 5.9, 6) == [0, 0, 0, 2, 4, 6]


def test_a_burst_of_one() -> None:
    """The first is at once, and none comes sooner than an interval behind another."""
    assert allowed(Pace(2.0, 1), 5, 6, 7, 7, 8.5, 9, 20, 21, 22) == [5, 7, 9, 20, 22]


def test_the_burst_comes_back_with_quiet() -> None:
    """One an interval, and never more than there were."""
    assert allowed(Pace(1.0, 2), 0, 0, 1, *[3.0] * 3, *[99.0] * 5) == [0, 0, 1, 3, 3, 99, 99]


def test_without_an_interval_it_is_always_time() -> None:
    """An interval of 0 is none."""
    assert allowed(Pace(0.0, 1), *[0.0] * 9) == [0.0] * 9


def test_a_moment_that_was_reached_by_adding_up() -> None:
    """What rounding takes from it does not count."""
    now, times = 0.0, 0
    pace = Pace(0.3, 1)
    for _ in range(300):
        if pace.allows(now):
            pace.spend(now)
            times += 1
        now += 0.1
    assert times == 100
