"""What comes in to a session."""

from __future__ import annotations

import anyio
import pytest

from wscontrollers import App, Controller, Message, Session, WebSocket, websocket
from wscontrollers.messages import Cancel, Credit
from wscontrollers.session import Limits
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    text: str


async def test_frames_that_come_while_the_endpoint_is_busy_are_kept_in_order() -> None:
    """What is read ahead is handed over before what comes later."""
    app, gate = App(), anyio.Event()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await gate.wait()
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        for text in "abc":
            await peer.send(Say(text=text))
        client.clock.glance()
        client.clock.glance()
        await peer.expect_nothing()
        gate.set()
        await peer.send(Say(text="d"))
        assert [(await peer.expect(Said)).text for _ in "abcd"] == ["a", "b", "c", "d"]


async def test_control_frames_that_nobody_gave_occasion_to_count_as_messages() -> None:
    """Else a client could send them without end: they are among `Limits(rate=, burst=)`, and do nothing."""
    app = App(limits=Limits(rate=1, burst=5))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send(Credit("none", 1))
        await peer.send(Cancel("none"))
        await peer.send(Say(text="a"))
        assert await peer.expect(Said) == Said(text="a")
        for _ in range(20):
            await peer.send(Credit("none", 1))
        await peer.expect_error("rate_limited")
        await peer.expect_closed(1008)


async def test_before_the_accept_nothing_can_be_received() -> None:
    """With `accept=False` that is the endpoint's, and it is told so."""
    told: list[str] = []

    class Rooms(Controller):
        @websocket("/", accept=False)
        async def open(self, session: Session[Say, Said]) -> None:
            with pytest.raises(RuntimeError, match=r"before the handshake is accepted\. Fix: with accept=False") as caught:
                await session.receive()
            told.append(str(caught.value))
            await session.accept()
            message = await session.receive()
            await session.send(Said(text=message.text))

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        assert await peer.expect(Said) == Said(text="a")
        await peer.expect_closed(1000)
    assert len(told) == 1


async def test_who_reads_the_websocket_is_told_of_the_end_of_the_session() -> None:
    """As a disconnect, with the code with which the session ended."""
    seen: list[object] = []
    app = App(limits=Limits(lifetime=5))

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, session: Session) -> None:
        seen.append(await websocket.receive_text())
        event = await websocket.receive()
        seen.append((event["type"], event["code"]))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send_text("a")
        await peer.expect_nothing()
        await client.clock.advance(6)
        await peer.expect_closed(1001)
    assert seen == ["a", ("websocket.disconnect", 1001)]
