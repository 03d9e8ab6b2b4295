"""What the log says: at most so many lines a second of one kind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers import App
from wscontrollers.logs import MOST, Throttle, logger_of
from wscontrollers.testing import AsyncTestClient, TestClient


def record(text: str, at: float, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    """A line of a moment."""
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("test", logging.INFO, __file__, 1, text, (7,), info)
    made.created = at
    vars(made).update(extra)
    return made


def told(throttle: Throttle, *records: logging.LogRecord) -> list[str]:
    """The lines that pass."""
    return [each.getMessage() for each in records if throttle.filter(each)]


def test_so_many_lines_pass_in_a_second() -> None:
    """The last of them says that there may be more, and the next one behind them how many there were."""
    throttle = Throttle()
    lines = told(throttle, *[record("no %d", 100 + n / 100) for n in range(MOST + 3)])
    assert lines == ["no 7"] * (MOST - 1) + ["no 7 (more like it in this second are left out)"]
    assert told(throttle, record("no %d", 101.5)) == ["no 7 (3 more like it were left out before it)"]
    assert told(throttle, record("no %d", 101.6)) == ["no 7"]


def raised(kind: type[Exception]) -> Exception:
    """An exception that was raised here."""
    try:
        raise kind
    except kind as error:
        return error


def raised_elsewhere() -> Exception:
    """One that was raised there."""
    try:
        raise KeyError
    except KeyError as error:
        return error


def kinds() -> Iterator[logging.LogRecord]:
    """A line of each kind."""
    yield record("one %d", 0)
    yield record("other %d", 0)
    yield record("one %d", 0, kind="bad")
    yield record("one %d", 0, raised(KeyError))
    yield record("one %d", 0, raised(ValueError))
    yield record("one %d", 0, raised_elsewhere())


def test_lines_of_another_kind_are_counted_for_themselves() -> None:
    """Another text, another `kind`, another exception or another place where it was raised."""
    throttle = Throttle()
    passed = [throttle.filter(each) for _ in range(MOST + 1) for each in kinds()]
    assert passed == [True] * (MOST * 6) + [False] * 6


@given(moments=st.lists(st.floats(0, 5), max_size=80))
def test_every_line_passes_or_is_counted(moments: list[float]) -> None:
    """Whatever the clock does, even if it is set back."""
    throttle = Throttle()
    lines = told(throttle, *[record("no %d", moment) for moment in moments], record("no %d", 100.0))
    counted = sum(int(line.split("(")[1].split()[0]) for line in lines if "before it" in line)
    assert len(lines) + counted == len(moments) + 1


def test_no_second_has_more() -> None:
    """A second begins with its first line, so any second that one looks at has parts of two."""
    throttle = Throttle()
    passed = [n / 50 for n in range(500) if throttle.filter(record("no %d", n / 50))]
    assert all(sum(moment <= each < moment + 1 for each in passed) <= 2 * MOST for moment in passed)
    assert len(passed) == 10 * MOST


def test_kinds_that_are_quiet_are_forgotten() -> None:
    """A process that runs for a year knows no more of them than one that runs for a minute."""
    throttle = Throttle()
    for number in range(2000):
        throttle.filter(record("no %d", number / 100, kind=number))
    assert len(throttle._seconds) <= 400


def test_a_test_client_begins_anew() -> None:
    """What tests before it made the log say is none of its lines."""
    logger = logger_of("wscontrollers.session")

    def passed(lines: int) -> int:
        return sum(bool(logger.filter(record("no %d", 100))) for _ in range(lines))

    async def test() -> None:
        async with AsyncTestClient(App()):
            assert passed(1) == 1

    assert passed(MOST + 1) == MOST
    with TestClient(App()):
        assert passed(MOST + 1) == MOST
    anyio.run(test)


@pytest.mark.parametrize("name", ["session", "container", "groups"])
def test_every_logger_of_ours_has_one(name: str) -> None:
    """One, whoever asks for the logger."""
    logger = logger_of(f"wscontrollers.{name}")
    assert logger is logger_of(f"wscontrollers.{name}") is logging.getLogger(f"wscontrollers.{name}")
    assert [type(each) for each in logger.filters] == [Throttle]
