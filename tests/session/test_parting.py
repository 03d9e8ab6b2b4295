"""The last of a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.parting import break_off, hang_up

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def test_a_connection_is_broken_where_the_peer_does_not_read(protocol: Any) -> None:
    """At once, or when what was written is still there in the end; one whose peer has read it all is left alone."""
    transport = protocol.transport
    hang_up(protocol.send, 0)
    assert transport.aborted == 1
    transport.unread = 10
    hang_up(protocol.send, 0.01)
    assert transport.aborted == 1
    await asyncio.sleep(0.02)
    assert transport.aborted == 2
    hang_up(protocol.send, 0.01)
    transport.unread = 0
    hang_up(protocol.send, 0.01)
    await asyncio.sleep(0.02)
    assert transport.aborted == 2


async def test_of_another_server_nothing_is_known(protocol: Any) -> None:
    """Nothing happens behind a middleware, or where there is no transport."""

    async def send(event: Any) -> None: ...

    hang_up(send, 0)
    transport, protocol.transport = protocol.transport, None
    hang_up(protocol.send, 0)
    protocol.transport = transport
    assert transport.aborted == 0
    await anyio.lowlevel.checkpoint()


async def test_a_connection_that_its_server_closes_is_not_held_open(protocol: Any) -> None:
    """As uvicorn does at its ping time-out, and tells nobody before all is written. An end that is told has its time."""

    async def wrapped(event: Any) -> None: ...

    transport = protocol.transport
    transport.unread = 10
    assert protocol.queue.get_nowait() == {"type": "websocket.connect"}
    break_off(protocol.send, protocol.receive)
    assert transport.aborted == 0, "it is open"
    protocol.keepalive_timeout()
    for ways in ((wrapped,), (wrapped, wrapped)):
        break_off(*ways)
    assert transport.aborted == 0, "whose it is, is not known"
    protocol.queue.put_nowait({"type": "websocket.disconnect", "code": 1012})
    break_off(protocol.send, protocol.receive)
    assert transport.aborted == 0, "its end is told"
    protocol.queue.get_nowait()
    break_off(wrapped, protocol.receive)
    assert transport.aborted == 1
    transport.unread = 0
    break_off(protocol.send, protocol.receive)
    assert transport.aborted == 1, "all is written"
