"""How a session comes to its end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from wscontrollers import App, Delivery, Depends, WebSocket
from wscontrollers.messages import Message
from wscontrollers.session import Ended, Limits, Session
from wscontrollers.session.session import life_of
from wscontrollers.session.timing import Timekeeper
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    text: str


async def test_a_close_beside_the_session_ends_it() -> None:
    """`websocket.close()` is the end of the session too: it is known by its code, and nothing is sent or received any more."""
    app = App()
    seen: list[Any] = []

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, session: Session[Say, Said]) -> None:
        await session.send(Said(text="bye"))
        await websocket.close(4012, "enough")
        seen.extend([session.ended, await session.send(Said(text="late")), session.send_nowait(Said(text="late"))])
        seen.extend([message async for message in session])

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect(Said)
        assert await peer.expect_closed(4012) == "enough"
    assert seen == [Ended("server", 4012, "enough"), Delivery.CLOSED, Delivery.CLOSED]


async def test_a_busy_endpoint_learns_that_its_peer_left() -> None:
    """An endpoint that neither reads nor sends is cancelled when the peer leaves: somebody always reads."""
    app = App()
    ended: list[Ended | None] = []

    @app.websocket("/")
    async def endpoint(session: Session) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(session.ended)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.close(3000, "bye")

    assert ended == [Ended("client", 3000, "bye")]


async def test_a_sender_is_cancelled_when_its_peer_left() -> None:
    """An endpoint that only sends ends with its peer, too."""
    app = App()
    ended: list[Ended | None] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            while True:
                await session.send(Said(text="tick"))
                await anyio.sleep(0.01)
        finally:
            ended.append(session.ended)

    async with AsyncTestClient(app) as client, client.connect("/", allow_leftovers=True) as peer:
        await peer.expect(Said)
        await peer.send(Say(text="nobody reads this"))

    assert [each.by for each in ended if each] == ["client"]


@pytest.mark.parametrize("is_full", [False, True], ids=["room", "full"])
async def test_a_close_that_comes_behind_a_failed_write_tells_the_end(monkeypatch: pytest.MonkeyPatch, is_full: bool) -> None:
    """A server knows of a peer that left before the session has read of it: it has a moment to, whatever else looks first.

    So it has where nothing was read any more, for the inbox was full.
    """
    looked = anyio.Event()
    look = Timekeeper.glance

    def glance(timekeeper: Timekeeper) -> bool:
        is_lost = timekeeper.life.is_lost
        goes_on = look(timekeeper)
        if is_lost:
            looked.set()
        return goes_on

    monkeypatch.setattr(Timekeeper, "glance", glance)
    frames = [{"type": "websocket.receive", "text": '{"type": "say", "text": "a"}'}] * 5
    if is_full:
        looked.set()
    ended = await _ended_behind_a_failed_write(frames, closes=looked, is_full=is_full)
    assert ended == Ended("client", 4001, "bye")


async def test_a_write_that_fails_without_a_close_is_a_loss() -> None:
    """There is no disconnect event soon: the connection broke."""
    assert await _ended_behind_a_failed_write([], closes=anyio.Event()) == Ended("network", 1006)


async def _ended_behind_a_failed_write(frames: list[Any], *, closes: anyio.Event, is_full: bool = False) -> Ended | None:
    """How a session ends whose `send` fails, and whose `receive` has these frames and then, when it is time, a close.

    With `is_full`, it fails when nothing more is read.
    """
    app = App(limits=Limits(inbox=2 if is_full else 16))
    ended: list[Ended | None] = []
    events: list[Any] = [{"type": "websocket.connect"}, *frames]

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            while is_full and not life_of(session).reading.is_held:
                await anyio.lowlevel.checkpoint()
            await session.send(Said(text="a"))
            await anyio.sleep_forever()
        finally:
            ended.append(session.ended)

    async def get() -> Any:
        if events:
            return events.pop(0)
        await closes.wait()
        return {"type": "websocket.disconnect", "code": 4001, "reason": "bye"}

    async def send(event: Any) -> None:
        if event["type"] == "websocket.send":
            raise OSError

    async with app.router.lifespan_context(app):
        await app({"type": "websocket", "path": "/", "query_string": b"", "headers": [], "subprotocols": []}, get, send)
    return ended[0]


async def test_clean_ups_run_before_the_close_frame() -> None:
    """Endpoint, tasks, clean-ups, close frame: in this order."""
    app = App()
    log: list[str] = []

    async def resource() -> AsyncIterator[str]:
        yield "r"
        log.append("clean-up")

    @app.websocket("/")
    async def endpoint(session: Session, r: str = Depends(resource)) -> None:
        async def task() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                log.append("task")

        session.start_soon(task)
        await anyio.lowlevel.checkpoint()
        log.append("endpoint")

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
        assert log == ["endpoint", "task", "clean-up"]


async def test_what_waits_goes_out_before_the_close_frame() -> None:
    """Queued messages are sent when the endpoint returns."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        for text in "abc":
            session.send_nowait(Said(text=text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert [(await peer.expect(Said)).text for _ in "abc"] == ["a", "b", "c"]
        await peer.expect_closed(1000)


async def test_an_endpoint_that_outlives_its_peer_is_cancelled_after_the_grace() -> None:
    """Behind the end of its loop an endpoint has the grace for its last work, and no more."""
    app, log = App(limits=Limits(grace=2)), []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for _ in session:
            pass
        log.append("behind")
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    async with AsyncTestClient(app) as client:
        connecting = client.connect("/")
        peer = await connecting.__aenter__()
        await peer.close(1000)
        await client.clock.advance(1)
        assert log == ["behind"]
        await client.clock.advance(2)
        assert log == ["behind", "cancelled"]
        await connecting.__aexit__(None, None, None)


async def test_what_a_client_does_wrong_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Of the session, its path and what it was, but of nothing that was sent; ten in a second of each kind."""
    app = App()

    @app.websocket("/{room}", limits=Limits(bad_frames_in_a_row=12))
    async def endpoint(session: Session[Say, Said], room: str) -> None:
        async for _ in session:
            pass

    caplog.set_level(logging.INFO, "wscontrollers.session")
    async with AsyncTestClient(app) as client, client.connect("/tea?token=secret") as peer:
        await peer.send_text('{"type": "say", "text": 7}')
        await peer.expect_error("validation")
        for _ in range(11):
            await peer.send_text("secret")
            await peer.expect_error("invalid_json")
        await peer.expect_closed(1008)
    lines = [record.getMessage().partition(" at ")[2] for record in caplog.records]
    assert lines[0] == "'/tea': a bad frame, validation"
    assert lines[1:10] == ["'/tea': a bad frame, invalid_json"] * 9
    assert lines[10:] == [
        "'/tea': a bad frame, invalid_json (more like it in this second are left out)",
        "'/tea': closed with 1008, too many bad frames",
    ]


async def test_a_peer_that_stops_reading_is_let_go() -> None:
    """A write without progress for `Limits.stall` seconds ends the session with 1013; who waited for it is cancelled."""
    app = App(limits=Limits(stall=10))
    log: list[Any] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            while True:
                await session.send(Said(text="x" * 1000))
        finally:
            log.append(session.ended)

    async with AsyncTestClient(app) as client, client.connect("/", allow_leftovers=True) as peer:
        peer.pause_reading()
        await client.clock.advance(9)
        assert log == []
        await client.clock.advance(4)
        assert log == [Ended("server", 1013, "too slow")]
        peer.resume_reading()
