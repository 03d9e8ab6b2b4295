"""The time of one session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from wscontrollers import App, Controller, JsonRpc, Limits, Message, Session, receive, websocket
from wscontrollers.messages import Heartbeat, JsonCodec, Ok
from wscontrollers.session import Ended
from wscontrollers.session.watch import watch_of
from wscontrollers.testing import AsyncTestClient


class Work(Message):
    pass


async def test_a_grace_is_counted_from_the_end() -> None:
    """What runs when the server ends the session is cancelled once its grace is over by the clock, and not before."""
    cancelled: list[Ended | None] = []
    at_work = anyio.Event()

    class Desk(Controller):
        limits = Limits(grace=3)

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            self.session = session
            session.start_soon(self.leave)
            yield

        @receive
        async def work(self, message: Work) -> None:
            try:
                at_work.set()
                await anyio.sleep_forever()
            except BaseException:
                cancelled.append(self.session.ended)
                raise

        async def leave(self) -> None:
            await at_work.wait()
            await self.session.close(4000)

    async with AsyncTestClient(App(controllers=[Desk])) as client, client.connect("/") as peer:
        await peer.send(Work())
        await at_work.wait()
        await client.clock.advance(2.9)
        assert not cancelled
        await client.clock.advance(0.2)
        await peer.expect_closed(4000)
    assert cancelled == [Ended("server", 4000)]


async def test_a_silent_client_is_asked_for_a_sign_of_life() -> None:
    """After `heartbeat` seconds without a frame; any frame is one, and an answer does not count as a message for `idle`."""
    app = App(limits=Limits(heartbeat=10, idle=25))

    @app.websocket("/")
    async def endpoint(session: Session[Work, Work]) -> None:
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await client.clock.advance(9)
        await peer.expect_nothing()
        await client.clock.advance(1)
        await peer.reply(await peer.expect(Heartbeat))
        await client.clock.advance(10)
        await peer.expect(Heartbeat)
        await client.clock.advance(5)
        assert await peer.expect_closed(1001) == "idle"


async def test_a_client_that_gives_no_sign_is_gone() -> None:
    """It is asked once, and after as many seconds again the session ends; another framing asks in its own way."""

    class Desk(Controller):
        limits = Limits(heartbeat=10)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

    class Rpc(Desk):
        prefix = "/rpc"
        protocol = JsonRpc()

    async with AsyncTestClient(App(controllers=[Desk, Rpc])) as client:
        async with client.connect("/") as peer:
            await client.clock.advance(15)
            await peer.expect(Heartbeat)
            await client.clock.advance(5)
            assert await peer.expect_closed(1001) == "no answer to a heartbeat"
        async with client.connect("/rpc/") as peer:
            await client.clock.advance(10)
            asked = await peer.receive_json()
            assert asked == {"jsonrpc": "2.0", "method": "heartbeat", "params": {}, "id": 1}
            await peer.send_json({"jsonrpc": "2.0", "result": None, "id": 1})
            await client.clock.advance(9)
            await peer.expect_nothing()


@pytest.mark.parametrize("limits", [Limits(heartbeat=10, inbox=1), Limits(idle=10, inbox=1)])
async def test_a_busy_server_takes_no_silence_amiss(limits: Limits) -> None:
    """While the inbox is full nothing is read, and the client may have said much."""
    go = anyio.Event()
    given = limits

    class Desk(Controller):
        limits = given

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def work(self, message: Work) -> None:
            await go.wait()

    async with AsyncTestClient(App(controllers=[Desk])) as client, client.connect("/") as peer:
        for _ in range(4):
            await peer.send(Work())
        await client.clock.advance(60)
        await peer.expect_nothing()
        go.set()
        await peer.send(Work(), ref=1)
        await peer.expect(Ok)


async def test_who_waits_for_a_message_is_not_looked_at() -> None:
    """Until one comes: then somebody reads for it as soon as it is busy, and sees that its client leaves."""
    app = App(limits=Limits(heartbeat=None))
    glances: list[int] = []
    cancelled = anyio.Event()

    @app.websocket("/")
    async def endpoint(session: Session[Work, Work]) -> None:
        async for _ in session:
            await session.send(Work())
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.set()

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect_nothing()
            watch = watch_of(client.clock)
            for _ in range(3):
                client.clock.glance()
                glances.append(len(watch._awake))
            await peer.send(Work())
            await peer.expect(Work)
            glances.append(len(watch._awake))
            client.clock.glance()
        await cancelled.wait()
    assert glances == [1, 0, 0, 1]


async def test_whose_wait_was_cancelled_is_looked_at_again() -> None:
    """Within a second, as nothing tells of it: while it is busy somebody reads for it."""
    app = App()
    busy, cancelled = anyio.Event(), anyio.Event()
    give_up = anyio.CancelScope()

    @app.websocket("/")
    async def endpoint(session: Session[Work, Work]) -> None:
        with give_up:
            await session.receive()
        busy.set()
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect_nothing()
            client.clock.glance()
            client.clock.glance()
            assert not watch_of(client.clock)._awake
            give_up.cancel()
            await busy.wait()
            watch_of(client.clock).inspect()
            client.clock.glance()
        await cancelled.wait()


async def test_a_codec_that_cannot_write_a_heartbeat_ends_its_own_session(caplog: pytest.LogCaptureFixture) -> None:
    """It is closed with 1011, and logged; the limits of the other sessions hold as before."""

    class Mute(JsonCodec):
        def writer(self, *args: Any, **options: Any) -> Any:
            writer = super().writer(*args, **options)

            class Writer:
                message = staticmethod(writer.message)

                def control(self, frame: Any) -> Any:
                    if isinstance(frame, Heartbeat):
                        raise ValueError("no heart")
                    return writer.control(frame)

            return Writer()

    class Asked(Controller):
        limits = Limits(heartbeat=1)

        @websocket("/asked")
        async def open(self) -> AsyncIterator[None]:
            yield

    class Idle(Controller):
        limits = Limits(idle=3)

        @websocket("/idle")
        async def open(self) -> AsyncIterator[None]:
            yield

    async with (
        AsyncTestClient(App(controllers=[Asked, Idle], codecs=[Mute()])) as client,
        client.connect("/asked") as asked,
        client.connect("/idle") as idle,
    ):
        await client.clock.advance(2)
        await asked.expect_closed(1011)
        await client.clock.advance(2)
        assert await idle.expect_closed(1001) == "idle"
    (record,) = caplog.records
    assert "no heart" in str(record.exc_info)
