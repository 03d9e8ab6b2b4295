"""What is done to the engine and to the workers while a soak runs."""

from __future__ import annotations

import asyncio
from random import Random
from typing import NamedTuple

import anyio

from tests.groups.engines.servers import Server

from .stage import Stage

CALM = 0.15, 0.8
"""Within which part of the time harm is done."""
APART = 2.5
"""Seconds between the beginnings of two of them, where there is time enough."""
APART_ALONE = 15.0
"""The same where there is but one worker, and nothing else to harm: what it holds shall have time to grow."""


class Harm(NamedTuple):
    """One of them.

    Attributes:
        at: Seconds behind the beginning.
        what: Which one.
        which: Of which worker, where it is one worker's.
        length: Seconds until it is over.
    """

    at: float
    what: str
    which: int
    length: float


def planned(random: Random, engine: str, seconds: float) -> list[Harm]:
    """What is done: of each kind one, and as many more as there is time for; none begins before the one before it is over."""
    kinds = ["worker is killed"]
    if engine != "memory":
        kinds += ["server is killed", "server stands still", "line is cut", "line is silent", "line is broken"]
    begin, end = (part * seconds for part in CALM)
    number = max(len(kinds), int((end - begin) / (APART if engine != "memory" else APART_ALONE)))
    step = (end - begin) / number
    rounds: list[str] = []
    while len(rounds) < number:
        rounds += random.sample(kinds, len(kinds))
    return [
        Harm(begin + step * index, what, random.randrange(2), random.uniform(0.1, 0.7) * step)
        for index, what in enumerate(rounds[:number])
    ]


async def do(harm: Harm, stage: Stage) -> None:
    """Do one, and return when it is over."""
    server = stage.server
    if harm.what == "worker is killed":
        await _absent(stage.workers[harm.which % len(stage.workers)], harm.length)
        return
    assert server is not None
    cable = stage.cables[harm.which]
    if harm.what == "server is killed":
        await _absent(server, harm.length)
    elif harm.what == "server stands still":
        server.pause()
        await asyncio.sleep(harm.length)
        server.go_on()
    elif harm.what == "line is cut":
        await cable.cut()
        await asyncio.sleep(harm.length)
        await cable.mend()
    elif harm.what == "line is silent":
        cable.freeze()
        await asyncio.sleep(harm.length)
        await cable.mend()
    else:
        await cable.snap()


async def _absent(server: Server, seconds: float) -> None:
    await anyio.to_thread.run_sync(server.kill)
    await asyncio.sleep(seconds)
    await anyio.to_thread.run_sync(server.start)
