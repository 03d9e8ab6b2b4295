"""What one client knows of one group, and what was published to it: who claims to have missed nothing is held to it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from wscontrollers.groups.engines.engine import Position


class Said(NamedTuple):
    """A message as a client got it.

    Attributes:
        who: Who published it.
        n: The how manieth of this publisher in this group.
        place: By its mark; None in a group without a history.
    """

    who: str
    n: int
    place: Position | None


class Told(NamedTuple):
    """The client was told that it may have missed something, or joined for the first time.

    Attributes:
        place: From where on it misses nothing; None where it was told none.
        is_new: Whether it begins anew with the state that it gets there, which may be that of a worker that hears of a message
            later than another one: else nothing comes that came before.
    """

    place: Position | None
    is_new: bool


class Fault(NamedTuple):
    """What must not be.

    Attributes:
        kind: "lost unnoticed", "twice", "out of order", or another one.
        detail: What and where.
    """

    kind: str
    detail: str


class Truth:
    """What was published to a group, as far as anybody knows: whoever published it was told so, or somebody heard it.

    Attributes:
        taken: What publishers were told of: the others may come late, or never.
        faults: Places that were given twice.
    """

    def __init__(self) -> None:
        self.taken: set[tuple[str, int]] = set()
        self.faults: list[Fault] = []
        self._at: dict[Position, tuple[str, int]] = {}
        self._offsets: dict[str, list[int]] | None = None

    def took(self, who: str, n: int, place: Position | None) -> None:
        """The publisher was told that it is published."""
        self.taken.add((who, n))
        self.heard(who, n, place)

    def heard(self, who: str, n: int, place: Position | None) -> None:
        """Somebody heard it."""
        if place is not None and self._at.setdefault(place, (who, n)) != (who, n):
            self.faults.append(Fault("two messages of one place", f"{place}: {who} {n}, {self._at[place]}"))

    def between(self, one: Position, other: Position) -> int:
        """How many messages are between two places of one epoch."""
        if self._offsets is None:
            self._offsets = {}
            for place in sorted(self._at):
                self._offsets.setdefault(place.epoch, []).append(place.offset)
        offsets = self._offsets.get(one.epoch, [])
        return max(0, bisect_left(offsets, other.offset) - bisect_left(offsets, one.offset + 1))


class Book:
    """What one client was sent of one group, in its order."""

    def __init__(self) -> None:
        self.lines: list[Said | Told] = []

    def faults(self, truth: Truth) -> Iterator[Fault]:
        """What must not be: twice, out of order, lost without a word."""
        seen, current = set[tuple[str, int]](), set[tuple[str, int]]()
        newest: dict[str, int] = {}
        for line in self.lines:
            if isinstance(line, Said):
                if (line.who, line.n) in current:
                    yield Fault("twice", f"{line}")
                if (line.who, line.n) in truth.taken:
                    if line.n < newest.get(line.who, 0):
                        yield Fault("out of order", f"{line} behind {newest[line.who]}")
                    newest[line.who] = line.n
                current.add((line.who, line.n))
            elif line.is_new:
                seen |= current
                current.clear()
                newest.clear()
        seen |= current
        is_placed = any(isinstance(line, Said) and line.place is not None for line in self.lines)
        yield from self._by_place(truth) if is_placed else self._by_number(truth, seen)

    def _by_place(self, truth: Truth) -> Iterator[Fault]:
        last: Position | None = None
        for line in self.lines:
            here = line.place
            if isinstance(line, Said) and last is not None and here is not None:
                if here.epoch != last.epoch:
                    yield Fault("lost unnoticed", f"all between {last} and {here}")
                elif here.offset <= last.offset:
                    yield Fault("out of order", f"{line} behind {last}")
                elif missing := truth.between(last, here):
                    yield Fault("lost unnoticed", f"{missing} between {last} and {here}")
            last = here

    def _by_number(self, truth: Truth, seen: set[tuple[str, int]]) -> Iterator[Fault]:
        """Between two messages of a publisher, nothing may be missing that was taken of him: the rest may come late, or never."""
        last: dict[str, int] = {}
        for line in self.lines:
            if isinstance(line, Told):
                last.clear()
                continue
            for n in range(last.get(line.who, line.n) + 1, line.n):
                if (line.who, n) in truth.taken and (line.who, n) not in seen:
                    yield Fault("lost unnoticed", f"{n} of {line.who}")
            if (line.who, line.n) in truth.taken:
                last[line.who] = max(line.n, last.get(line.who, 0))
