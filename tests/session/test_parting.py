"""The last of a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.parting import hang_up

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
