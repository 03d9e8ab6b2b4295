"""An endpoint that yields: what comes before the messages, the messages, and what comes behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from wscontrollers import App, Controller, websocket
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
    """What ended the session as an exception is raised at the `yield`; an endpoint that deals with it ends normally."""
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
            await peer.expect_closed(1011)
        async with client.connect("/fails") as peer:
            await peer.expect_closed(1011)

    assert log == [(1011, KeyError), "finally"]


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
