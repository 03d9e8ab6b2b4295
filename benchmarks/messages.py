"""Typed messages over the loopback: round trips, streams and message-scoped services."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median

from benchmarks import load
from benchmarks.processes import TYPED_APPS
from benchmarks.server import FLOOR, measured, running
from benchmarks.table import Table, Target, at_least

EXCHANGES: Mapping[str, tuple[Mapping[str, object], str]] = {
    "say": ({"text": "hello, how is everybody?"}, "hello, how is everybody?"),
    "rename": ({"name": "ann the second"}, "ann the second"),
    "move": ({"x": 12, "y": -7}, "12 -7"),
    "join": ({"room": "tea"}, "tea"),
    "leave": ({"room": "tea"}, "tea"),
    "vote": ({"choice": "green", "weight": 0.5}, "green"),
    "edit": ({"at": 17, "insert": "word"}, "word"),
    "ping": ({"number": 7}, "pong"),
}
"""By tag, the fields of a message, and the text of its answer."""

AIMS: Mapping[str, float] = {FLOOR: 0.9, "FastAPI": 1.15, "chanx": 3}
"""How many times as cheap as each a round trip should be."""

HANDLERS, REFERRED, ITERATION = "ours, handlers", "ours, handlers and a ref", "ours, async for"
BARE, SCOPED, CLEANED_UP = "without a service", "message-scoped", "message-scoped, cleaned up"


def round_trips(*, rounds: int = 5, count: int = 24_000) -> tuple[list[Table], list[Target]]:
    """A message of a union of eight, and its typed answer.

    Args:
        rounds: How often each side is measured.
        count: How many messages each time.
    """
    with running(TYPED_APPS, TYPED_APPS) as servers:
        sides = {side: (servers[side], "/typed", exchanges("chanx" if side == "chanx" else "")) for side in servers}
        ours, _, plain = sides.pop("ours")
        sides[HANDLERS] = (ours, "/typed", plain)
        sides[REFERRED] = (ours, "/typed", exchanges("ref"))
        sides[ITERATION] = (ours, "/iterate", plain)
        work = {
            side: partial(load.round_trips, server.port, load.handshake(path), pairs, count)
            for side, (server, path, pairs) in sides.items()
        }
        of = {side: server for side, (server, _, _) in sides.items()}
        table = Table("A message of eight, and its typed answer", "µs", measured(of, work, rounds), FLOOR)
    targets: list[Target] = []
    for side in (HANDLERS, ITERATION):
        for other, aim in AIMS.items():
            targets += at_least(table, side, other, aim)
    return [table], targets


def streams(*, rounds: int = 5, items: int = 10_000, times: int = 3) -> tuple[list[Table], list[Target]]:
    """An item of a stream of 10,000 that answers one message.

    Args:
        rounds: How often each side is measured.
        items: How many items a stream has.
        times: How many streams are asked for each time.
    """
    text = _json({"type": "count", "ref": 1, "items": items})
    answers = [_json({"type": "item", "re": 1, "number": number, "text": "an item"}) for number in range(items)]
    answers.append(_json({"type": "end", "re": 1}))
    with running([side for side in TYPED_APPS if side != "chanx"], TYPED_APPS) as servers:
        work = {
            side: partial(load.streamed, server.port, load.handshake("/stream"), text, answers, times)
            for side, server in servers.items()
        }
        table = Table(f"An item of a stream of {items:,}", "µs", measured(servers, work, rounds), FLOOR)
    return [table], at_least(table, "ours", FLOOR, 0.8)


def scoped(*, rounds: int = 15, count: int = 24_000) -> tuple[list[Table], list[Target]]:
    """A message whose handler has a message-scoped service; arguments as of `round_trips`."""
    fields, answer = EXCHANGES["ping"]
    pairs = [(_json({"type": "ping", **fields}), _json({"type": "noted", "who": "ann", "text": answer}))]
    with running(["ours"], TYPED_APPS) as servers:
        server = servers["ours"]
        paths = {BARE: "/bare", SCOPED: "/scoped", CLEANED_UP: "/unit"}
        work = {side: partial(load.round_trips, server.port, load.handshake(path), pairs, count) for side, path in paths.items()}
        table = Table("A message with a service", "µs", measured(dict.fromkeys(paths, server), work, rounds), BARE)
    return [table], [added(table, side, 3) for side in (SCOPED, CLEANED_UP)]


def exchanges(kind: str = "") -> Sequence[tuple[bytes, bytes]]:
    """The messages and their answers, as texts.

    Args:
        kind: "ref" asks for an answer that is correlated, "chanx" writes them in chanx's envelope.
    """
    pairs: list[tuple[bytes, bytes]] = []
    for tag, (fields, text) in EXCHANGES.items():
        answer = {"who": "ann", "text": text}
        if kind == "chanx":
            text = json.dumps({"action": "noted", "payload": answer})  # with the blanks that it writes
            pairs.append((_json({"action": tag, "payload": fields}), text.encode()))
        elif kind == "ref":
            pairs.append((_json({"type": tag, **fields, "ref": 7}), _json({"type": "noted", "re": 7, **answer})))
        else:
            pairs.append((_json({"type": tag, **fields}), _json({"type": "noted", **answer})))
    return pairs


def added(table: Table, side: str, limit: float) -> Target:
    """The target that a side costs at most so many µs more than the floor: the median of the rounds' differences."""
    pairs = zip(table.rounds[side], table.rounds[table.floor], strict=True)
    more = median(own - floor for own, floor in pairs)
    return Target(f"{table.title}: {side} adds less than {limit:g} µs: {more:.2f}", more < limit)


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
