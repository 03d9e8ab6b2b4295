"""What stands between a handshake and the first line of its endpoint, in process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from benchmarks import containers, diamonds
from benchmarks.containers import Session
from benchmarks.peers import installed
from benchmarks.table import Rounds, Table, Target, Turns, at_least

Side = Callable[[], AbstractAsyncContextManager[Session]]

CONTAINERS: Mapping[str, tuple[Side, str | None]] = {
    "by hand": (containers.by_hand, None),
    "ours": (containers.ours, None),
    "dishka": (containers.with_dishka, "dishka"),
    "wireup": (containers.with_wireup, "wireup"),
    "injector": (containers.with_injector, None),
    "FastAPI": (containers.with_fastapi, "fastapi"),
}
"""The sides of the graph of services, each with the package that it needs."""

DIAMONDS: Mapping[int, int] = {4: 1, 7: 2, 13: 4, 19: 6, 25: 8}
"""The number of functions, and of the diamonds that they are."""


def services(*, rounds: int = 5, seconds: float = 0.2) -> tuple[list[Table], list[Target]]:
    """A session of a class with five injected objects.

    Args:
        rounds: How often each side is measured.
        seconds: How long one measurement takes, in seconds of CPU time.
    """
    sides = {name: side for name, (side, package) in CONTAINERS.items() if installed(package)}
    table = Table("A class with five objects", "µs", asyncio.run(_measured(sides, rounds, seconds)), "by hand")
    slower = 1 / table.ratio("ours", "by hand")
    targets = [Target(f"{table.title}: at most 6 times by hand: {slower:.2f}", slower <= 6)]
    for other, aim in {"dishka": 1, "wireup": 1, "injector": 20, "FastAPI": 20}.items():
        targets += at_least(table, "ours", other, aim)
    return [table], targets


def rows_of_diamonds(*, rounds: int = 5, seconds: float = 0.1) -> tuple[list[Table], list[Target]]:
    """A session of functions that share those above them; arguments as of `services`."""
    sides: dict[str, Side] = {f"ours, {count} functions": partial(diamonds.ours, rows) for count, rows in DIAMONDS.items()}
    if installed("fastapi"):
        sides |= {f"FastAPI, {count} functions": partial(diamonds.with_fastapi, rows) for count, rows in DIAMONDS.items()}
    table = Table("Rows of diamonds", "µs", asyncio.run(_measured(sides, rounds, seconds)), "ours, 13 functions")
    growth = 1 / table.ratio("ours, 25 functions", "ours, 13 functions")
    return [table], [Target(f"{table.title}: 25 functions at most 2 times 13: {growth:.2f}", growth <= 2)]


async def _measured(sides: Mapping[str, Side], rounds: int, seconds: float) -> Rounds:
    async with AsyncExitStack() as stack:
        sessions = {side: await stack.enter_async_context(opened()) for side, opened in sides.items()}
        turns = Turns(sides, rounds=rounds)
        for side in turns:
            turns.keep(side, await _cost(sessions[side], seconds))
        return turns.measured


async def _cost(session: Session, seconds: float) -> float:
    """The CPU time of one session, in µs, from as many as fill the time."""
    count, took = 1, await _time(session, 1)
    while took < seconds * 5e8:
        count = max(count * 2, min(count * 10, round(count * seconds * 1e9 / max(took, 1))))
        took = await _time(session, count)
    return took / count / 1e3


async def _time(session: Session, count: int) -> int:
    began = time.process_time_ns()
    for _ in range(count):
        await session()
    return time.process_time_ns() - began
