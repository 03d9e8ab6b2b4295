"""Sessions and echoes over the loopback: what they cost the server process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

from benchmarks import load
from benchmarks.peers import installed
from benchmarks.processes import APPS, Server, Side, on_last_core, serving
from benchmarks.table import Table, Target, Turns, at_least

FLOOR = "raw ASGI"
ALONE = (FLOOR, "Starlette", "FastAPI", "Litestar", "ours")
TEN = (FLOOR, "FastAPI", "FastAPI and injector", "ours")


class SetUp(NamedTuple):
    """One way to open a session.

    Attributes:
        title: Of its table.
        request: The handshake.
        sides: Who is measured.
        aim: How many times as cheap as FastAPI ours should be.
    """

    title: str
    request: bytes
    sides: Sequence[str]
    aim: float


SET_UPS = (
    SetUp("Session: nothing", load.handshake("/nothing"), ALONE, 1.25),
    SetUp(
        "Session: four parameters",
        load.handshake("/four/tea?limit=10&order=old", ["X-Token: t0ken"]),
        (FLOOR, "FastAPI", "Litestar", "ours"),
        1.3,
    ),
    SetUp("Session: ten dependencies and a class, inline", load.handshake("/ten"), TEN, 2.2),
    SetUp("Session: ten dependencies and a class, threads", load.handshake("/ten-threads"), TEN, 1.7),
)


def set_up(*, rounds: int = 5, count: int = 1536) -> tuple[list[Table], list[Target]]:
    """Handshake, dependencies, accept and close of a session.

    Args:
        rounds: How often each side is measured.
        count: How many sessions each time.
    """
    tables: list[Table] = []
    targets: list[Target] = []
    with running(APPS) as servers:
        for title, request, sides, aim in SET_UPS:
            work = {side: partial(load.sessions, servers[side].port, request, count) for side in sides if side in servers}
            tables.append(Table(title, "µs", measured(servers, work, rounds), FLOOR))
            targets += at_least(tables[-1], "ours", "FastAPI", aim) + at_least(tables[-1], "ours", "FastAPI and injector", aim)
    return tables, targets


def echo(*, rounds: int = 5, count: int = 30_000) -> tuple[list[Table], list[Target]]:
    """A text frame of 64 bytes to a raw WebSocket endpoint and back.

    Args:
        rounds: How often each side is measured.
        count: How many frames each time.
    """
    request = load.handshake("/echo")
    with running(ALONE) as servers:
        work = {side: partial(load.echoes, server.port, request, b"x" * 64, count) for side, server in servers.items()}
        table = Table("Echo of 64 bytes", "µs", measured(servers, work, rounds), FLOOR)
    return [table], at_least(table, "ours", "Starlette", 1) + at_least(table, "ours", FLOOR, 0.93)


@contextmanager
def running(sides: Iterable[str], apps: Mapping[str, Side] = APPS) -> Generator[Mapping[str, Server]]:
    """The servers of all sides whose package is installed, on one core, and this process on another."""
    with ExitStack() as stack:
        servers = {side: stack.enter_context(serving(side, apps)) for side in sides if installed(apps[side].package)}
        stack.enter_context(on_last_core())
        yield servers


def measured(servers: Mapping[str, Server], work: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """The CPU time of a server process for one unit of the work that each side is given, in µs."""
    turns = Turns(work, rounds=rounds)
    for side in turns:
        before = servers[side].cpu()
        units = work[side]()
        turns.keep(side, (servers[side].cpu() - before) / units * 1e6)
    return turns.measured
