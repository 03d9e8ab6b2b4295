"""One soak: clients come and go while the engine and the workers are harmed, and are held to what they were told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

from websockets.asyncio.client import connect

from .application import COUNTED
from .book import Fault, Truth
from .client import LAST, Client, place_of
from .harm import Harm, do, planned
from .stage import Stage, Worker, staged

KINDS = "kept", "brief", "plain"
"""The kinds of groups: much is kept, little, nothing."""
GROUPS = 4
"""How many there are of each kind."""
RATE = 40.0
"""Messages in a second that all clients together publish, about."""
PATIENCE = 30.0
"""Seconds within which all is well again when no more harm is done."""
SPARE = 3
"""Connections more than at the beginning that the pool of an engine's client may keep."""
KILOBYTES = "kilobytes"
GROWTH = 40 * 1024
"""Kilobytes by which a worker may grow: what its allocator keeps."""


class Report(NamedTuple):
    """What came of it.

    Attributes:
        counted: How often something happened.
        faults: What must not be; there is nothing if all is well.
        harms: What was done.
    """

    counted: Mapping[str, int]
    faults: list[Fault]
    harms: list[Harm]


async def soak(engine: str, *, seed: int, seconds: float, clients: int, folder: Path) -> Report:
    """Run one.

    Args:
        engine: "memory", "redis" or "nats".
        seed: Of all that is decided by chance; when things happen is decided by the machine too.
        seconds: How long clients come and go.
        clients: How many there are.
        folder: Where the servers' files are.
    """
    random = Random(f"{seed} {engine}")  # noqa: S311 - no secret
    truth = {f"{kind}:{number}": Truth() for kind in KINDS for number in range(GROUPS)}
    harms = planned(random, engine, seconds)
    async with staged(engine, folder) as stage:
        ports = [worker.port for worker in stage.workers]
        all_clients = [
            Client(
                f"c{number}",
                [f"{kind}:{random.randrange(GROUPS)}" for kind in KINDS],
                ports,
                truth,
                Random(f"{seed} {number}"),  # noqa: S311
                clients / RATE,
            )
            for number in range(clients)
        ]
        before = await _warmed(stage, all_clients[0].name, list(truth))
        faults = await _conduct(stage, all_clients, harms, seconds, truth)
        faults += await _left(stage, before)
    for client in all_clients:
        for group, book in client.books.items():
            faults += [Fault(kind, f"{client.name} in {group}: {text}") for kind, text in book.faults(truth[group])]
    for each in truth.values():
        faults += each.faults
    counted: Counter[str] = Counter()
    for client in all_clients:
        counted += client.counted
    return Report(counted, faults, harms)


async def _conduct(
    stage: Stage, clients: list[Client], harms: list[Harm], seconds: float, truth: dict[str, Truth]
) -> list[Fault]:
    loop = asyncio.get_running_loop()
    begin, quiet, faults = loop.time(), asyncio.Event(), list[Fault]()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(client.run(quiet)) for client in clients]
        for harm in harms:
            await asyncio.sleep(begin + harm.at - loop.time())
            await do(harm, stage)
        await asyncio.sleep(begin + seconds - loop.time())
        quiet.set()
        try:
            async with asyncio.timeout(PATIENCE):
                for client in clients:
                    await client.has_come.wait()
                await _finish(stage.workers[0], truth)
                await asyncio.wait(running)
        except TimeoutError:
            faults = [
                Fault("silent", f"{client.name}: nothing of {sorted(client.misses)}") for client in clients if client.misses
            ]
            for task in running:
                task.cancel()
    return faults


async def _finish(worker: Worker, truth: dict[str, Truth]) -> None:
    """Publish the last message of each group."""
    async with connect(f"ws://127.0.0.1:{worker.port}/{LAST}?group={next(iter(truth))}", compression=None) as session:
        waits_for = set(truth)
        for group in truth:
            await session.send(json.dumps({"type": "say", "group": group, "n": 1, "ref": group}))
        while waits_for:
            frame = json.loads(await session.recv())
            if frame["type"] == "taken":
                group = frame["re"]
                waits_for.remove(group)
                truth[group].took(LAST, 1, place_of(frame["since"]))
            assert frame["type"] != "error", frame


# What workers hold


async def _warmed(stage: Stage, name: str, groups: list[str]) -> list[dict[str, int]]:
    """What each worker holds when sessions were there, and are gone."""
    for worker in stage.workers:
        query = "&".join(f"group={group}" for group in groups)
        async with connect(f"ws://127.0.0.1:{worker.port}/{name}?{query}", compression=None) as session:
            for _ in groups:
                await session.recv()
    none_of_them = dict.fromkeys((kind.__name__ for kind in COUNTED), 0)
    return [await _settled(worker, {}) | none_of_them for worker in stage.workers]


async def _settled(worker: Worker, base: dict[str, int]) -> dict[str, int]:
    """What it holds when it holds no more than it did, or does not become less any more."""
    loop = asyncio.get_running_loop()
    until, before, found = loop.time() + PATIENCE / 2, dict[str, int](), await worker.used()
    while loop.time() < until and (not found or _above(found, base if base else before)):
        await asyncio.sleep(0.2)
        before, found = found, await worker.used()
    return found


def _above(found: dict[str, int], base: dict[str, int]) -> list[str]:
    allowed = {"socket": SPARE, KILOBYTES: GROWTH}
    return [kind for kind, number in found.items() if number > base.get(kind, 0) + allowed.get(kind, 0)]


async def _left(stage: Stage, before: list[dict[str, int]]) -> list[Fault]:
    """What workers hold though all sessions are gone."""
    faults: list[Fault] = []
    for worker, base in zip(stage.workers, before, strict=True):
        after = await _settled(worker, base)
        left = _above(after, base) if after else ["worker"]
        faults += [Fault(f"{kind} is left", f"{worker.port}: {base.get(kind)}, {after.get(kind)}") for kind in left]
        faults += [Fault("traceback", each[:2000]) for each in worker.tracebacks]
    return faults
