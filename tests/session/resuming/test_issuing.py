"""Which tickets of a session are good, and how long."""

from __future__ import annotations

from wscontrollers import Resume
from wscontrollers.session.resuming.issuing import RENEWED, Issuing

SESSION = "0123456789abcdef"


def test_a_ticket_is_good_for_its_time() -> None:
    """The time until the next one, the grace, and a little for the way."""
    issuing = Issuing(SESSION, Resume(60))
    issuing.issue(1000.0)

    assert issuing.is_good(1, 1000 + RENEWED + 60)
    assert not issuing.is_good(1, 1000 + RENEWED + 60 + 31)
    assert not issuing.is_good(2, 1000.0)


def test_another_one_is_due_after_a_while() -> None:
    """The one before stays good, for the new one may not have arrived; and none is due before the first."""
    issuing = Issuing(SESSION, Resume(60))
    assert not issuing.is_due(10_000.0)

    issuing.issue(1000.0)
    assert [issuing.is_due(1000 + RENEWED - 1), issuing.is_due(1000 + RENEWED)] == [False, True]
    issuing.issue(1000 + RENEWED)
    assert issuing.is_good(1, 1000 + RENEWED + 1)
    assert issuing.is_good(2, 1000 + RENEWED + 1)


def test_one_that_is_used_takes_all_others_with_it() -> None:
    """Nobody comes in with an older one behind it."""
    issuing = Issuing(SESSION, Resume(60))
    issuing.issue(1000.0)
    issuing.issue(1001.0)
    issuing.spend()

    assert not issuing.is_good(1, 1002.0)
    assert not issuing.is_good(2, 1002.0)


def test_those_that_brought_nobody_in_are_good_again() -> None:
    """Beside the one that was made since, which may have arrived or not."""
    issuing = Issuing(SESSION, Resume(60))
    issuing.issue(1000.0)
    spent = issuing.spend()
    issuing.issue(1001.0)
    issuing.give_back(spent)

    assert [issuing.is_good(number, 1002.0) for number in (1, 2, 3)] == [True, True, False]


def test_another_process_goes_on_from_there() -> None:
    """Its numbers follow, and what was good is, for the time of the grace."""
    issuing = Issuing(SESSION, Resume(60))
    issuing.go_on(7, [5, 7], 1000.0)

    assert issuing.good(1059.0) == {5, 7}
    assert issuing.good(1060.0) == frozenset()
    issuing.issue(1000.0)
    assert issuing.number == 8
