"""Cancellations: which is meant for who is cancelled, and which is somebody else's that merely passes by."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import pytest

from wscontrollers import App, Controller, Message, Session, receive, websocket
from wscontrollers.cancellation import failure_of, is_cancellation
from wscontrollers.declare import Order
from wscontrollers.messages import JsonRpc
from wscontrollers.testing import AsyncTestClient

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio knows whose cancellation one is


class Say(Message):
    text: str = ""


class Said(Message):
    text: str = ""


async def somebody_elses() -> None:
    """Await a task of somebody else's that was cancelled."""
    other = asyncio.get_running_loop().create_future()
    other.cancel()
    await other


@on_asyncio
async def test_a_strangers_cancellation_is_a_failure() -> None:
    """Nobody takes it further out; it is the cause of an error that says so."""
    with pytest.raises(asyncio.CancelledError) as caught:
        await somebody_elses()
    failure = failure_of(caught.value)
    assert isinstance(failure, RuntimeError)
    assert "Fix: catch CancelledError" in str(failure)
    assert failure.__cause__ is caught.value


@on_asyncio
async def test_a_cancellation_of_ones_own_goes_on() -> None:
    """The task was asked to stop: that is no failure, and neither is what ends the process."""
    told: list[object] = []

    async def cancelled() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError as error:
            told.append(failure_of(error))
            raise

    task = asyncio.ensure_future(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [None]
    assert failure_of(KeyboardInterrupt()) is None


@on_asyncio
async def test_any_other_exception_is_a_failure_as_it_is() -> None:
    """Nothing is made of it."""
    error = KeyError("x")
    assert failure_of(error) is error


@on_asyncio
@pytest.mark.parametrize("order", ["serial", "concurrent", "latest"])
async def test_a_handler_that_awaits_what_was_cancelled_has_failed(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    """Its message is answered `internal`, the log has it, and the session goes on."""

    class Chat(Controller):
        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive(order=order)
        async def say(self, message: Say) -> Said:
            if not message.text:
                await somebody_elses()
            return Said(text=message.text)

    caplog.set_level(logging.ERROR, "wscontrollers.session")
    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.send(Say(), ref=1)
        assert (await peer.expect_error("internal")).re == 1
        assert await peer.request(Say(text="b")) == Said(text="b")
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == ["handler say failed"]


@on_asyncio
async def test_so_has_a_stream_and_a_call_of_json_rpc() -> None:
    """The one is ended by an error, the other has its response."""

    class Feed(Controller):
        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> AsyncIterator[Said]:
            yield Said()
            await somebody_elses()

    class Calls(Controller):
        protocol = JsonRpc()

        @websocket("/rpc")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive(order="concurrent")
        async def say(self, message: Say) -> str:
            await somebody_elses()
            return ""

    async with AsyncTestClient(App(controllers=[Feed, Calls])) as client:
        async with client.connect("/") as peer:
            await peer.send(Say(), ref=1)
            assert await peer.expect(Said) == Said()
            assert (await peer.expect_error("internal")).re == 1
        async with client.connect("/rpc") as peer:
            await peer.send_text(json.dumps({"jsonrpc": "2.0", "method": "say", "id": 1}))
            assert (await peer.expect_error("internal")).re == 1


@on_asyncio
async def test_a_task_of_the_session_that_awaits_what_was_cancelled_has_failed() -> None:
    """As with any exception of it, `ended` and the peer are told the same."""
    seen: list[tuple[int, object]] = []

    class Chat(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            session.start_soon(somebody_elses)
            try:
                yield
            finally:
                assert session.ended is not None
                seen.append((session.ended.code, type(session.ended.exception)))

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.expect_closed(1011)
    assert seen == [(1011, RuntimeError)]


@on_asyncio
async def test_so_has_an_endpoint() -> None:
    """What `ended` says is what the peer sees."""
    sessions: list[Session] = []

    class Chat(Controller):
        @websocket("/")
        async def open(self, session: Session[Say, Said]) -> None:
            sessions.append(session)
            await somebody_elses()

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.expect_closed(1011)
    assert sessions[0].ended is not None
    assert (sessions[0].ended.by, sessions[0].ended.code) == ("server", 1011)


@pytest.mark.anyio
async def test_a_cancellation_is_told_from_an_error() -> None:
    """It is another class in each event loop."""
    seen: list[BaseException] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.lowlevel.checkpoint()
        except BaseException as error:
            seen.append(error)
            raise
    assert [is_cancellation(error) for error in seen] == [True]
    assert not is_cancellation(ValueError())


def test_outside_of_an_event_loop_nothing_is_a_cancellation() -> None:
    """Whatever is raised there."""
    assert not is_cancellation(KeyboardInterrupt())
