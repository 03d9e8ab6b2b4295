"""What carries the frames of one session between a test and the application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from wscontrollers.testing import VirtualClock
from wscontrollers.testing.answers import Accepted
from wscontrollers.testing.memory import MemoryTransport
from wscontrollers.testing.transport import Transport

pytestmark = pytest.mark.anyio

SCOPE: Scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
TEXT = {"type": "websocket.send", "text": "hi"}


@asynccontextmanager
async def opened(app: ASGIApp) -> AsyncIterator[Transport]:
    """A session whose handshake was accepted."""
    async with anyio.create_task_group() as tasks:
        transport = MemoryTransport(app, dict(SCOPE), VirtualClock())
        assert isinstance(await transport.open(tasks), Accepted)
        yield transport
        await transport.cancel()


async def until_told(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that ends when it hears that the peer has left."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """One that never ends by itself."""
    await receive()
    await send({"type": "websocket.accept"})
    await anyio.sleep_forever()


async def closing(scope: Scope, receive: Receive, send: Send) -> None:
    """One that closes."""
    await receive()
    await send({"type": "websocket.accept"})
    await send(TEXT)
    await send({"type": "websocket.close", "code": 4000})


def test_it_says_what_a_way_to_the_application_has_to_do() -> None:
    """Half of one is none."""
    with pytest.raises(TypeError, match="abstract"):
        cast(Any, Transport)(VirtualClock())


async def test_a_close_of_the_application_ends_the_session() -> None:
    """It arrives behind the frames, and both are in the transcript."""
    async with opened(closing) as transport:
        await transport.run.ended.wait()
        assert (transport.is_over, transport.closed_by_application, transport.run.peer_left) == (True, True, False)
        assert str(transport.transcript).splitlines()[-2:] == ["  2. <- text 'hi'", "  3. <- close 4000"]


async def test_what_arrives_while_the_test_does_not_read_is_not_in_the_transcript() -> None:
    """It has not seen it."""
    async with opened(deaf) as transport:
        transport.pause()
        before = str(transport.transcript)
        transport.arrive(TEXT)
        assert str(transport.transcript) == before
        transport.resume()
        assert str(transport.transcript).endswith("<- text 'hi'")


async def test_leaving_closes_politely_and_waits_for_the_clean_up() -> None:
    """The application sees 1000, and has ended when that returns."""
    async with opened(until_told) as transport:
        assert await transport.leave(moment=1, patience=5)
        assert transport.run.ended.is_set()
        assert "disconnect 1000" in str(transport.transcript)


async def test_an_application_that_was_never_told_of_a_vanished_peer_is_told_now() -> None:
    """Otherwise it would wait for ever."""
    async with opened(until_told) as transport:
        transport.vanish()
        assert not transport.run.was_told.is_set()
        assert await transport.leave(moment=1, patience=5)


async def test_an_application_that_does_not_end_is_cancelled() -> None:
    """When it had its time; the test fails elsewhere if that was not expected."""
    async with opened(deaf) as transport:
        assert await transport.leave(moment=0.01, patience=0.05)
        assert transport.run.ended.is_set()
