"""A table of medians, with the ratio of each row to its floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

Rounds = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a table should show.

    Attributes:
        text: As a reader wants it, with the numbers: "nothing >= 1.25x FastAPI: 1.31".
        met: Whether it does.
    """

    text: str
    met: bool


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark measured.

    Attributes:
        title: What was measured.
        unit: Of the numbers, "µs" or "KiB".
        rounds: For each side the measurements of all rounds; those with one index were taken right behind each other.
        floor: The side that the others are compared with.
    """

    title: str
    unit: str
    rounds: Rounds
    floor: str

    def typical(self, side: str) -> float:
        """The median of a side."""
        return median(self.rounds[side])

    def ratio(self, side: str, other: str) -> float:
        """How often a side's cost goes into another's: 2.0 where the other costs twice as much.

        The median of the rounds' ratios, so that a machine that was busy for a round counts for both or for none. A cost that
        is too small to be seen goes into another one without end.
        """
        pairs = zip(self.rounds[side], self.rounds[other], strict=True)
        return median(theirs / own if own else inf for own, theirs in pairs)

    def markdown(self) -> str:
        """The table as Markdown."""
        head = f"| side | {self.unit} | lowest to highest | times {self.floor} | per {self.unit} ({self.floor} = 1.00) |"
        lines = [f"### {self.title}", "", head, "|---|---|---|---|---|"]
        for side, values in self.rounds.items():
            work = self.ratio(side, self.floor)
            lines.append(
                f"| {side} | {_short(self.typical(side))} | {_short(min(values))} to {_short(max(values))} "
                f"| {_short(1 / work)} | {_short(work)} |"
            )
        return "\n".join(lines)


def _short(value: float) -> str:
    """Three digits, as a person writes them."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


class Turns:
    """Measurements of several sides one behind the other, in turns, so that what the machine does meanwhile meets all of them.

    Args:
        sides: Their names.
        rounds: How many turns are kept.
        warm_up: Whether one more is taken first and dropped.

    Attributes:
        measured: What was kept of each side.
    """

    def __init__(self, sides: Iterable[str], *, rounds: int, warm_up: bool = True) -> None:
        self.measured: dict[str, list[float]] = {side: [] for side in sides}
        self._rounds = rounds
        self._warm_up = warm_up

    def __iter__(self) -> Iterator[str]:
        if self._warm_up:
            yield from self.measured
            for costs in self.measured.values():
                costs.clear()
        for _ in range(self._rounds):
            yield from self.measured

    def keep(self, side: str, cost: float) -> None:
        """Keep what a side's unit of work cost in this turn."""
        self.measured[side].append(cost)


def at_least(table: Table, side: str, other: str, aim: float) -> list[Target]:
    """The target that a side is so many times cheaper than another; none if the other was not measured."""
    if other not in table.rounds:
        return []
    ratio = table.ratio(side, other)
    return [Target(f"{table.title}: at least {aim:g} times as cheap as {other}: {ratio:.2f}", ratio >= aim)]


def report(tables: Iterable[Table], targets: Iterable[Target]) -> str:
    """Tables and targets as Markdown."""
    parts = [table.markdown() for table in tables]
    parts += ["\n".join(f"- {'met' if target.met else '**missed**'}: {target.text}" for target in targets)]
    return "\n\n".join(part for part in parts if part)
