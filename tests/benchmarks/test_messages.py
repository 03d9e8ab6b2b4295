"""The benchmarks of typed messages run, and each side gives the same answers."""

from __future__ import annotations

import json

import pytest

from benchmarks import load, messages
from benchmarks.peers import installed
from benchmarks.processes import TYPED_APPS, serving
from benchmarks.table import Table

SIDES = [side for side in TYPED_APPS if installed(TYPED_APPS[side].package)]


def test_round_trips_are_measured():
    """Every side answers each of the eight messages; ours in three ways. The load looks at each byte."""
    ([table], targets) = messages.round_trips(rounds=1, count=64)
    peers = [side for side in SIDES if side != "ours"]
    assert list(table.rounds) == [*peers, messages.HANDLERS, messages.REFERRED, messages.ITERATION]
    assert sum("at least 0.9 times as cheap as raw ASGI" in target.text for target in targets) == 2


def test_streams_are_measured():
    """Every side sends each item, in order, and an end."""
    ([table], [target]) = messages.streams(rounds=1, items=100, times=2)
    assert list(table.rounds) == [side for side in SIDES if side != "chanx"]
    assert "0.8" in target.text


def test_services_are_measured():
    """A message without a service is measured beside two with one."""
    ([table], targets) = messages.scoped(rounds=1, count=64)
    assert list(table.rounds) == [messages.BARE, messages.SCOPED, messages.CLEANED_UP]
    assert len(targets) == 2


def test_added_cost_is_the_median_of_differences():
    """What a service adds is told in µs, from rounds that were taken together."""
    table = Table("Work", "µs", {"floor": [1.0, 2.0, 40.0], "side": [3.0, 5.0, 41.0]}, "floor")
    target = messages.added(table, "side", 3)
    assert target.text == "Work: side adds less than 3 µs: 2.00"
    assert target.met
    assert not messages.added(table, "side", 2).met


def test_envelope_of_chanx_has_the_same_fields():
    """Only the envelope differs: the fields of a message and of its answer are those of all others."""
    for ours, theirs in zip(messages.exchanges(), messages.exchanges("chanx"), strict=True):
        for flat, wrapped in zip(map(json.loads, ours), map(json.loads, theirs), strict=True):
            assert {"type": wrapped["action"], **wrapped["payload"]} == flat


def test_other_answer_is_no_measurement():
    """An answer that is not the expected one stops the benchmark, with what came."""
    asked, _ = messages.exchanges()[0]
    with serving("raw ASGI", TYPED_APPS) as server, pytest.raises(RuntimeError, match="came, and not"):
        load.round_trips(server.port, load.handshake("/typed"), [(asked, b"?")], 16)
