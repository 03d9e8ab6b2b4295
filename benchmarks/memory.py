"""What an idle session holds, in resident memory of the server process."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import load
from benchmarks.peers import installed
from benchmarks.processes import APPS, TYPED_APPS, Side, on_last_core, serving
from benchmarks.table import Table, Target, Turns

SIDES = ("raw ASGI", "Starlette", "FastAPI", "ours")
TYPED_SIDES = ("raw ASGI", "Starlette", "FastAPI", "Litestar", "chanx", "ours")


def idle_sessions(*, rounds: int = 3, count: int = 2000) -> tuple[list[Table], list[Target]]:
    """KiB for each of many sessions that are open and silent.

    Args:
        rounds: How many servers of each side are measured, each of them new.
        count: How many sessions.
    """
    turns = Turns((side for side in SIDES if installed(APPS[side].package)), rounds=rounds, warm_up=False)
    for side in turns:
        turns.keep(side, _kib_of_one(side, APPS, "/nothing", count))
    table = Table(f"An idle session of {count:,}", "KiB", turns.measured, SIDES[0])
    more = 1 / table.ratio("ours", "Starlette")
    return [table], [Target(f"{table.title}: at most 1.1 times Starlette's: {more:.2f}", more <= 1.1)]


def idle_typed_sessions(*, rounds: int = 3, count: int = 2000) -> tuple[list[Table], list[Target]]:
    """The same with sessions that typed messages may come in to; ours has eight handlers and an outbox."""
    turns = Turns((side for side in TYPED_SIDES if installed(TYPED_APPS[side].package)), rounds=rounds, warm_up=False)
    for side in turns:
        turns.keep(side, _kib_of_one(side, TYPED_APPS, "/typed", count))
    table = Table(f"An idle session of {count:,}, with handlers", "KiB", turns.measured, TYPED_SIDES[0])
    typical = table.typical("ours")
    return [table], [Target(f"{table.title}: at most 28 KiB: {typical:.1f}", typical <= 28)]


def _kib_of_one(side: str, apps: Mapping[str, Side], path: str, count: int) -> float:
    request = load.handshake(path)
    with serving(side, apps) as server, on_last_core():
        load.sessions(server.port, request, max(count // 10, load.BATCH))  # what is made at first use is made
        before = server.resident()
        sessions = load.opened(server.port, request, count)
        held = server.resident() - before
        load.closed(sessions)
    return held / count / 1024
