"""An endpoint that yields: what comes before the messages, the messages, and what comes behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from wscontrollers import App, Controller, Delivery, Limits, Resume, WebSocketException, websocket
from wscontrollers.declare import receive
from wscontrollers.messages import Message
from wscontrollers.session import Ended, Session
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Welcome(Message):
    pass


async def test_what_is_behind_the_yield_runs_when_the_session_has_ended() -> None:
    """Set-up, then messages, then the rest, which sees by whom the session ended."""
    log: list[object] = []

    class Chat(Controller):
        sends = (Welcome,)

        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            await session.send(Welcome())
            yield
            log.append(session.ended)

        @receive
        async def say(self, message: Say) -> None:
            log.append(message.text)

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        assert await peer.expect(Welcome) == Welcome()
        await peer.send(Say(text="a"), ref=1)
        assert await peer.receive_json() == {"type": "ok", "re": 1}
        await peer.close(4001)

    assert log == ["a", Ended("client", 4001)]


async def test_an_exception_of_a_task_is_thrown_into_the_endpoint() -> None:
    """What ended the session as an exception is raised at the `yield`; an endpoint that deals with it ends with 1000."""
    log: list[object] = []

    async def broken() -> None:
        raise KeyError("x")

    class Chat(Controller):
        @websocket("/deals")
        async def deals(self, session: Session) -> AsyncIterator[None]:
            session.start_soon(broken)
            try:
                yield
            except KeyError:
                assert session.ended is not None
                log.append((session.ended.code, type(session.ended.exception)))

        @websocket("/fails")
        async def fails(self, session: Session) -> AsyncIterator[None]:
            session.start_soon(broken)
            try:
                yield
            finally:
                log.append("finally")

    app = App(controllers=[Chat])
    async with AsyncTestClient(app) as client:
        async with client.connect("/deals") as peer:
            await peer.expect_closed(1000)
        async with client.connect("/fails") as peer:
            await peer.expect_closed(1011)

    assert log == [(1011, KeyError), "finally"]


async def test_an_endpoint_that_deals_with_an_exception_can_still_speak() -> None:
    """What it sends goes out, behind what waits, and it may say how the session ends; `ended` tells of that, and of why."""
    log: list[object] = []
    broken = KeyError("x")

    async def fails() -> None:
        raise broken

    class Chat(Controller):
        sends = (Welcome,)

        @websocket("/")
        async def deals(self, session: Session, code: int = 0) -> AsyncIterator[None]:
            session.start_soon(fails)
            try:
                yield
            except KeyError:
                log.append(await session.send(Welcome()))
                log.append(session.send_nowait(Welcome()) in (Delivery.SENT, Delivery.QUEUED))
                if code:
                    await session.close(code, "no more")
                    log.append(await session.send(Welcome()))
            self.session = session

        def __init__(self) -> None:
            controllers.append(self)

    controllers: list[Any] = []
    async with AsyncTestClient(App(controllers=[Chat])) as client:
        for code in (0, 4001):
            async with client.connect("/", params={"code": str(code)}) as peer:
                assert [await peer.expect(Welcome) for _ in range(2)] == [Welcome(), Welcome()]
                await peer.expect_closed(code or 1000)

    assert log == [Delivery.SENT, True, Delivery.SENT, True, Delivery.CLOSED]
    assert [controller.session.ended for controller in controllers] == [
        Ended("server", 1000, exception=broken),
        Ended("server", 4001, "no more", broken),
    ]


async def test_an_endpoint_that_deals_with_a_handlers_end_closes_with_1000() -> None:
    """A handler's `WebSocketException` comes to the `yield` too, and what is caught there is caught."""

    class Chat(Controller):
        @websocket("/")
        async def deals(self) -> AsyncIterator[None]:
            try:
                yield
            except WebSocketException:
                pass

        @receive
        async def say(self, message: Say) -> None:
            raise WebSocketException(4009, "enough")

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_closed(1000)


async def test_what_is_raised_in_its_place_is_a_failure() -> None:
    """The session ends with 1011 all the same, and behind the `except` nothing is sent."""
    sessions: list[Session] = []

    async def fails() -> None:
        raise KeyError("x")

    class Chat(Controller):
        @websocket("/")
        async def deals(self, session: Session) -> AsyncIterator[None]:
            sessions.append(session)
            session.start_soon(fails)
            try:
                yield
            except KeyError:
                raise ValueError("another") from None

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.expect_closed(1011)
    assert sessions[0].ended is not None
    assert sessions[0].ended.code == 1011
    assert await sessions[0].send(Welcome()) is Delivery.CLOSED


async def test_an_exception_behind_another_end_changes_nothing_of_it() -> None:
    """Who closed the session closed it, whatever its tasks raise afterwards; nothing is sent any more."""
    log: list[object] = []

    class Chat(Controller):
        @websocket("/")
        async def deals(self, session: Session) -> AsyncIterator[None]:
            async def fails() -> None:
                await session.close(4001)
                raise KeyError("x")

            session.start_soon(fails)
            try:
                yield
            except KeyError:
                log.append(await session.send(Welcome()))
            log.append(session.ended)

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.expect_closed(4001)
    assert log == [Delivery.CLOSED, Ended("server", 4001)]


async def test_a_peer_that_does_not_read_does_not_hold_up_who_deals_with_an_exception() -> None:
    """It has as long as a write may stand still; then nobody waits for it any more."""
    log: list[object] = []

    class Chat(Controller):
        limits = Limits(stall=0.01)

        @websocket("/")
        async def deals(self, session: Session) -> AsyncIterator[None]:
            try:
                yield
            except WebSocketException:
                await session.send("x" * 100_000)  # more than a connection takes
                log.append(await session.send("x"))

        @receive
        async def say(self, message: Say) -> None:
            raise WebSocketException(4009)

    async with (
        AsyncTestClient(App(controllers=[Chat])) as client,
        client.connect("/", allow_leftovers=True) as peer,
    ):
        peer.pause_reading()
        await peer.send(Say(text="a"))
    assert log == [Delivery.CLOSED]


async def test_a_session_that_can_be_resumed_speaks_then_too() -> None:
    """As long as its client is there."""

    class Chat(Controller):
        resume = Resume()
        sends = (Welcome,)

        @websocket("/")
        async def deals(self, session: Session) -> AsyncIterator[None]:
            try:
                yield
            except WebSocketException:
                await session.send(Welcome())

        @receive
        async def say(self, message: Say) -> None:
            raise WebSocketException(4009)

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        assert await peer.expect(Welcome) == Welcome()
        await peer.expect_closed(1000)


async def test_a_peer_that_leaves_while_the_set_up_runs_cancels_it() -> None:
    """The set-up is cancelled, and no messages follow."""
    log: list[str] = []

    class Chat(Controller):
        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            try:
                await anyio.sleep_forever()
            except BaseException:
                log.append("cancelled")
                raise
            yield

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/"):
        pass
    assert log == ["cancelled"]


async def test_an_endpoint_may_return_before_its_yield() -> None:
    """Then there are no messages: the session is closed with 1000."""

    class Chat(Controller):
        @websocket("/")
        async def open(self, session: Session, yes: bool = False) -> AsyncIterator[None]:
            if not yes:
                return
            yield

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)


async def test_an_endpoint_yields_once() -> None:
    """A second yield is a mistake of the program, and told so."""

    class Chat(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            await session.close(4000)
            yield
            yield

    async with AsyncTestClient(App(controllers=[Chat])) as client:
        with pytest.raises(RuntimeError, match="it yields more than once"):
            async with client.connect("/") as peer:
                await peer.expect_closed(4000)
