"""The life of a session: who reads, and its limits."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import anyio
import anyio.to_thread
import pytest

from wscontrollers import App, Controller, latest, websocket
from wscontrollers.messages import Message
from wscontrollers.session import Limits, Session
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    text: str


def echo(limits: Limits | None = None) -> App:
    app = App(limits=limits)

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    return app


async def test_a_message_may_be_as_big_as_the_limit() -> None:
    """Beyond `Limits.message` bytes the session is closed with 1009; characters count as their bytes of UTF-8."""
    async with AsyncTestClient(echo(Limits(message=100))) as client:
        frame = '{"type":"say","text":"%s"}'
        async with client.connect("/") as peer:
            await peer.send_text(frame % ("a" * (100 - len(frame) + 2)))
            await peer.expect(Said)
            await peer.send_text(frame % ("ä" * 60))
            await peer.expect_closed(1009)


async def test_too_fast_is_one_error_and_a_close() -> None:
    """Beyond rate and burst: one error `rate_limited`, then 1008; tokens come back with time."""
    async with AsyncTestClient(echo(Limits(rate=1, burst=2))) as client, client.connect("/") as peer:
        for _ in range(2):
            assert await peer.request(Say(text="a")) == Said(text="a")
        await client.clock.advance(1)
        assert await peer.request(Say(text="a")) == Said(text="a")
        await peer.send(Say(text="a"))
        await peer.send(Say(text="a"))
        await peer.expect_error("rate_limited")
        await peer.expect_closed(1008)


async def test_bad_frames_in_a_row_close() -> None:
    """So many bad frames in a row, or in all, are answered each, then the session is closed with 1008."""
    async with AsyncTestClient(echo(Limits(bad_frames_in_a_row=2, bad_frames=3))) as client:
        async with client.connect("/") as peer:
            for _ in range(2):
                await peer.send_text("{")
                await peer.expect_error("invalid_json")
            await peer.expect_closed(1008)
        async with client.connect("/") as peer:
            for _ in range(3):
                await peer.send_text("{")
                await peer.expect_error("invalid_json")
                await peer.send(Say(text="a"))
                if _ < 2:
                    await peer.expect(Said)
            await peer.expect_closed(1008)


@pytest.mark.parametrize(("limits", "reason"), [(Limits(idle=30), "idle"), (Limits(lifetime=30), "life time over")])
async def test_idle_and_life_time(limits: Limits, reason: str) -> None:
    """A session that is idle, or older, than its limit is closed with 1001 and a reason."""
    async with AsyncTestClient(echo(limits)) as client, client.connect("/") as peer:
        await client.clock.advance(29)
        assert await peer.request(Say(text="a")) == Said(text="a")
        if reason == "idle":
            await client.clock.advance(29)
            await peer.expect_nothing()
        await client.clock.advance(2)
        await peer.expect_closed(1001)


async def test_limits_are_those_of_route_controller_and_app() -> None:
    """What a route leaves out comes from its controller, then from the app, then from the defaults."""
    seen: list[Limits] = []

    class Tight(Controller):
        limits = Limits(rate=2, burst=3)

        @websocket("/", limits=Limits(burst=4))
        async def open(self, session: Session) -> None:
            seen.append(session.limits)

    app = App(controllers=[Tight], limits=Limits(rate=9, inbox=5, idle=None))
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)

    assert [(each.burst, each.rate, each.inbox, each.message) for each in seen] == [(4, 2, 5, 65536)]


async def test_a_session_leaves_nothing_behind() -> None:
    """When a session has ended nothing holds it any more, once the garbage of the exception-free end is collected."""
    app = App()
    held: list[Any] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        held.append(weakref.ref(session))
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            assert await peer.request(Say(text="a")) == Said(text="a")
        gc.collect()
        assert held[0]() is None


async def test_what_a_slow_peer_loses_is_told() -> None:
    """The controller's policy holds for messages without one of their own; the client sees a `gap`, and the newest prices."""

    class Price(Message, outbox=latest(key="symbol")):
        symbol: str
        cents: int

    class Feed(Controller):
        limits = Limits(outbox=3)
        outbox = "drop_oldest"
        sends = (Said, Price)

        @websocket("/")
        async def open(self, session: Session[Say, Any]) -> None:
            async for _ in session:
                await session.send(Said(text="x" * 70_000))
                session.send_nowait(Said(text="is being written"))
                for _ in range(5):
                    await anyio.lowlevel.checkpoint()
                for i in range(10):
                    session.send_nowait(Price(symbol="X", cents=i))
                for i in range(10):
                    session.send_nowait(Said(text=str(i)))
                done.set()

    done = anyio.Event()
    async with AsyncTestClient(App(controllers=[Feed])) as client, client.connect("/") as peer:
        peer.pause_reading()
        await peer.send(Say(text="go"))
        await done.wait()
        peer.resume_reading()
        frames = [await peer.receive_json() for _ in range(6)][2:]
        await peer.expect_nothing()
    kinds = [frame["type"] for frame in frames]
    assert kinds == ["gap", "price", "said", "said"]
    assert (frames[0]["dropped"], frames[0]["reason"]) == (8, "slow")
    assert frames[1]["cents"] == 9
    assert [frame["text"] for frame in frames[2:]] == ["8", "9"]


async def test_a_thread_that_sends_is_told_and_does_no_harm() -> None:
    """Nothing is started for it, and nothing waits for what was not."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            with pytest.raises(RuntimeError, match=r"it was used by a thread.*Fix: anyio\.from_thread\.run"):
                await anyio.to_thread.run_sync(session.send_nowait, Said(text="lost"))
            with pytest.raises(RuntimeError, match=r"it was used by a thread"):
                await anyio.to_thread.run_sync(session.start_soon, anyio.sleep_forever)
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a")
