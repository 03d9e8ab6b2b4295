"""Sessions that outlive their connection, over real sockets."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.serving import serving
from wscontrollers import App, Controller, Message, Resume, Session, receive, websocket

pytestmark = [
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
    pytest.mark.parametrize("ws", ["websockets-sansio", "wsproto"]),
]


class Say(Message):
    text: str


class Said(Message):
    text: str
    number: int


def counting() -> tuple[App, list[Any]]:
    """An application that counts what is said, and a list of how its sessions ended."""
    ends: list[Any] = []

    class Rooms(Controller):
        resume = Resume(60)

        @websocket("/")
        async def enter(self, session: Session[Any, Any]) -> AsyncIterator[None]:
            self.number = 0
            try:
                yield
            finally:
                assert session.ended is not None
                ends.append((session.ended.by, session.ended.code))

        @receive
        async def say(self, message: Say) -> Said:
            self.number += 1
            return Said(text=message.text, number=self.number)

    return App(controllers=[Rooms]), ends


async def heard(client: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    frame: dict[str, Any] = json.loads(await client.recv())
    return frame


async def say(client: ClientConnection, text: str) -> None:
    """Say something."""
    await client.send(json.dumps({"type": "say", "text": text}))


def reset(client: ClientConnection) -> None:
    """Break the connection with a TCP reset."""
    peer = client.transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.transport.abort()


async def test_a_client_that_was_reset_goes_on(ws: str) -> None:
    """Several times, each with the ticket of before; whether its answer had gone out or not, it has it once."""
    app, _ = counting()
    query, received = "", 0
    with serving(app, ws=ws) as address:
        for number in range(1, 6):
            async with connect(f"ws://{address}/{query}") as client:
                note = await heard(client)
                assert note["type"] == ("resumed" if query else "resumable")
                if number > 1:
                    assert (await heard(client))["number"] == number - 1
                    received += 1
                await say(client, "x")
                if number % 2:
                    assert (await heard(client))["number"] == number  # and lost on its way to the page, say
                reset(client)
                query = f"?resume={note['ticket']}&received={received}"


async def test_a_connection_that_seems_alive_gives_way(ws: str) -> None:
    """A client that changed its network comes back before anybody knows; the one of before is closed with 1000."""
    app, ends = counting()
    with serving(app, ws=ws) as address:
        async with connect(f"ws://{address}/") as before:
            note = await heard(before)
            async with connect(f"ws://{address}/?resume={note['ticket']}&received=0") as client:
                assert (await heard(client))["type"] == "resumed"
                with pytest.raises(ConnectionClosed) as closed:
                    await before.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1000
                await say(client, "x")
                assert (await heard(client))["number"] == 1
                assert ends == []


async def test_a_server_ends_with_sessions_whose_clients_are_away(ws: str) -> None:
    """It does not wait for them: they are ended in its lifespan, with their clean-ups, and so are those that are there."""
    app, ends = counting()
    async with AsyncExitStack() as clients:
        with serving(app, ws=ws) as address:  # which fails if the server does not end in time
            away, here = [await clients.enter_async_context(connect(f"ws://{address}/")) for _ in range(2)]
            await heard(away)
            await heard(here)
            reset(away)
            await say(here, "x")
            await heard(here)
        with pytest.raises(ConnectionClosed) as closed:
            await here.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert ends == [("server", 1001), ("server", 1001)]
