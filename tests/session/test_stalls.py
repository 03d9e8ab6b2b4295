"""A WebSocket on which no session is held, and its peer that may stop reading."""

from __future__ import annotations

from typing import Any

import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.clock import SCOPE_KEY, Clock
from wscontrollers.session.stalls import StallGuard, guard_closing, stall_guard
from wscontrollers.session.watch import watch_of

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


def guarded(protocol: Any, stall: float | None = 10, clock: Clock | None = None) -> StallGuard | None:
    """The guard of a plain WebSocket on a connection."""
    scope = {"type": "websocket", SCOPE_KEY: clock or Clock()}
    return stall_guard(protocol, scope, stall)


def looks(guard: StallGuard, transport: Any, *seen: tuple[float, int]) -> list[int]:
    """How often the connection was broken off after each look, at so many seconds and with so many bytes unread."""
    told: list[int] = []
    for now, unread in seen:
        transport.unread = unread
        guard.inspect(now)
        told.append(transport.aborted)
    return told


async def test_a_peer_that_takes_nothing_is_broken_off(protocol: Any) -> None:
    """When as much waits for it as before, for as long as it may."""
    guard = guarded(protocol)
    assert guard is not None
    assert looks(guard, protocol.transport, (1, 500), (10.9, 500), (11, 500)) == [0, 0, 1]


async def test_one_that_is_slow_is_not(protocol: Any) -> None:
    """Whatever it takes is progress; and who has taken all is waited for by nobody."""
    guard = guarded(protocol)
    assert guard is not None
    assert looks(guard, protocol.transport, (1, 500), (10, 400), (19, 900), (28, 0), (99, 0), (100, 400)) == [0] * 6


async def test_a_connection_that_is_to_be_closed_has_less_time(protocol: Any) -> None:
    """That of a close frame, unless the limit is shorter still: a server that ends waits for its connections."""
    for stall, unread, last in ((10, 500, 6), (2, 400, 3)):
        guard = guarded(protocol, stall)
        assert guard is not None
        protocol.transport.is_broken, before = True, protocol.transport.aborted
        assert looks(guard, protocol.transport, (1, unread), (last - 0.1, unread), (last, unread))[1:] == [before, before + 1]


async def test_it_is_looked_after_while_something_waits(protocol: Any) -> None:
    """From when somebody may have to wait on, or behind its endpoint, where what is left may hold up the close."""
    clock = Clock()
    watch, transport = watch_of(clock), protocol.transport
    guard = guarded(protocol, clock=clock)
    assert guard is not None
    guard.over()
    assert watch.watched == ()

    guard = guarded(protocol, clock=clock)
    assert guard is not None
    transport.unread = 10
    guard.look()
    guard.look()
    assert watch.watched == (guard,)
    assert not guard.glance()
    looks(guard, transport, (1, 10), (2, 0))
    assert watch.watched == ()

    transport.unread = 10
    guard.over()
    assert watch.watched == (guard,)
    guard.failed(ValueError())
    assert watch.watched == ()


async def test_where_nothing_is_known_or_bounded_there_is_none(protocol: Any) -> None:
    """Without a transport, or without a limit."""

    assert guarded(protocol, None) is None
    transport, protocol.transport = protocol.transport, None
    assert guarded(protocol) is None
    protocol.transport = transport


async def test_a_connection_that_its_server_closes_is_not_held_open(protocol: Any) -> None:
    """As uvicorn does at its ping time-out, and tells nobody before all is written: who takes nothing has the time of a close."""

    async def wrapped(*_: Any) -> None: ...

    clock, transport = Clock(), protocol.transport
    scope, watch = {"type": "websocket", SCOPE_KEY: clock}, watch_of(clock)
    ways = (protocol.send, protocol.receive)
    transport.unread = 500
    assert not guard_closing(scope, *ways), "it is open"
    protocol.keepalive_timeout()
    assert not guard_closing(scope, wrapped, wrapped), "whose it is, is not known"
    transport.unread = 0
    assert not guard_closing(scope, *ways), "all is written"
    transport.unread = 500
    assert watch.watched == ()
    assert guard_closing(scope, wrapped, protocol.receive)
    (guard,) = watch.watched
    assert isinstance(guard, StallGuard)
    assert looks(guard, transport, (1, 500), (5, 400), (9.9, 400), (10, 400)) == [0, 0, 0, 1], "whoever reads on, has more"
    assert watch.watched == ()
