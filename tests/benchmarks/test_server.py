"""The benchmarks over the loopback run, and clean up behind themselves."""

from __future__ import annotations

import os

import pytest

from benchmarks import load, memory, server
from benchmarks.peers import installed
from benchmarks.processes import APPS, serving

SIDES = [side for side in server.ALONE if installed(APPS[side].package)]


def test_sessions_are_measured():
    """Every way to open a session is served by all its sides, and costs them something."""
    tables, _ = server.set_up(rounds=1, count=64)
    assert [table.title for table in tables] == [way.title for way in server.SET_UPS]
    assert all(costs[0] > 0 for table in tables for costs in table.rounds.values())


def test_echoes_are_measured():
    """Every side gives back what it was sent; the load looks at each byte."""
    ([table], _) = server.echo(rounds=1, count=2000)
    assert list(table.rounds) == SIDES


def test_idle_sessions_are_measured():
    """The sides are measured in servers of their own."""
    ([table], _) = memory.idle_sessions(rounds=1, count=32)
    assert list(table.rounds) == [side for side in memory.SIDES if side in SIDES]


def test_refused_handshake_is_no_measurement():
    """A server that does not answer with 101 stops the benchmark, with what it answered."""
    with serving("raw ASGI") as running, pytest.raises(RuntimeError, match="GET /four/x was answered with"):
        load.opened(running.port, load.handshake("/four/x"), 1)


def test_server_ends_with_its_context():
    """No process is left, and this one may use all its cores again."""
    cores = os.sched_getaffinity(0)
    with server.running(["raw ASGI"]) as servers:
        process = servers["raw ASGI"].process
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert os.sched_getaffinity(0) == cores
