"""Groups under load, with harm done to the engine and to the workers: a short form of `make soak`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.soak.book import Book, Said, Told, Truth
from tests.soak.harm import Harm, planned
from tests.soak.soak import soak
from wscontrollers.groups.engines.engine import Position


@pytest.fixture
def anyio_backend() -> str:
    """The clients and the cables are asyncio's."""
    return "asyncio"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("engine", ["memory", "redis", "nats"])
async def test_nothing_is_lost_unnoticed(engine: str, tmp_path: Path) -> None:
    """Workers, server and lines fail in every way: order, nothing twice, no loss that is not told; and nothing is left over."""
    report = await soak(engine, seed=7, seconds=5.0, clients=40, folder=tmp_path)
    assert report.faults == []
    assert report.counted["delivered"] > 100
    assert report.counted["recovered"] > 0


def at(offset: int, epoch: str = "e") -> Position:
    return Position(epoch, offset)


def kinds(truth: Truth, *lines: Said | Told) -> list[str]:
    book = Book()
    book.lines += lines
    for line in lines:
        if isinstance(line, Said):
            truth.heard(*line)
    return [fault.kind for fault in book.faults(truth)]


def truth(number: int, *, places: bool = True) -> Truth:
    """One publisher, "a", whose messages have the numbers 1 to `number`, and so the places."""
    made = Truth()
    for n in range(1, number + 1):
        made.took("a", n, at(n) if places else None)
    return made


def test_what_a_client_may_see() -> None:
    """Everything; or less, where it was told; or what came before, where it begins anew."""
    assert kinds(truth(3), Told(at(0), is_new=True), *(Said("a", n, at(n)) for n in (1, 2, 3))) == []
    assert kinds(truth(3), Said("a", 1, at(1)), Told(None, is_new=False), Said("a", 3, at(3))) == []
    assert kinds(truth(2), Said("a", 1, at(1)), Said("a", 2, at(2)), Told(at(1), is_new=True), Said("a", 2, at(2))) == []
    assert kinds(truth(3, places=False), Said("a", 1, None), Told(None, is_new=False), Said("a", 3, None)) == []


def test_what_a_client_must_not_see() -> None:
    """A hole, another epoch, something twice, or later than its publisher's next: with places and without."""
    assert kinds(truth(3), Said("a", 1, at(1)), Said("a", 3, at(3))) == ["lost unnoticed"]
    assert kinds(truth(3), Told(at(1), is_new=True), Said("a", 3, at(3))) == ["lost unnoticed"]
    assert kinds(truth(1), Said("a", 1, at(1)), Said("b", 1, at(1, "f"))) == ["lost unnoticed"]
    assert kinds(truth(1), Said("a", 1, at(1)), Told(None, is_new=False), Said("a", 1, at(1))) == ["twice"]
    assert kinds(truth(2), Said("a", 2, at(2)), Said("a", 1, at(1))) == ["out of order"] * 2
    assert kinds(truth(3, places=False), Said("a", 1, None), Said("a", 3, None)) == ["lost unnoticed"]
    assert kinds(truth(2, places=False), Said("a", 2, None), Said("a", 1, None)) == ["out of order"]
    given_twice = truth(1)
    given_twice.took("b", 1, at(1))
    assert [fault.kind for fault in given_twice.faults] == ["two messages of one place"]


def harms(engine: str, seconds: float) -> list[Harm]:
    return planned(Random(7), engine, seconds)  # noqa: S311 - no secret


def test_the_same_seed_does_the_same_harm() -> None:
    """Each kind at least once, one behind the other; more of them where there is more time."""
    short, long = (harms("redis", seconds) for seconds in (6.0, 60.0))
    assert short == harms("redis", 6.0)
    assert len({harm.what for harm in short}) == len(short) == 6
    assert len(long) > 12
    for one, other in pairwise(long):
        assert one.at + one.length < other.at
    assert {harm.what for harm in harms("memory", 6.0)} == {"worker is killed"}
