"""The benchmarks of memory run."""

from __future__ import annotations

from benchmarks import memory
from benchmarks.peers import installed
from benchmarks.processes import TYPED_APPS


def test_idle_sessions_with_handlers_are_measured():
    """The sides are measured in servers of their own, on the endpoints of typed messages."""
    ([table], [target]) = memory.idle_typed_sessions(rounds=1, count=32)
    assert list(table.rounds) == [side for side in memory.TYPED_SIDES if installed(TYPED_APPS[side].package)]
    assert "28 KiB" in target.text
