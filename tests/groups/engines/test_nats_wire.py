"""One connection to a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.aio.msg import Msg

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.nats_wire import NOBODY, Wire, status_of

from .nats_server import NatsServer
from .servers import Shaky, free_port


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


@asynccontextmanager
async def opened(url: str, timeout: float = 2.0) -> AsyncIterator[tuple[Wire, asyncio.Event]]:  # noqa: ASYNC109
    """A wire, and what is set when it is uneasy."""
    uneasy = asyncio.Event()
    wire = Wire(timeout, uneasy.set)
    await wire.open([url], {"user": "wsc", "password": "secret"})
    try:
        yield wire, uneasy
    finally:
        await wire.close()


async def test_nobody_is_there() -> None:
    """It says why, at once, and leaves nothing."""
    tasks = asyncio.all_tasks()
    with pytest.raises(EngineDownError, match="Connect call failed"):
        async with opened(f"nats://127.0.0.1:{free_port()}"):
            pass
    assert asyncio.all_tasks() == tasks


async def test_somebody_else_is_there() -> None:
    """A server that does not speak NATS, and one that says nothing, are none."""
    connected: list[asyncio.StreamWriter] = []

    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        if len(connected) == 1:
            writer.write(b"220 smtp.example ESMTP\r\n")

    async with await asyncio.start_server(chat, "127.0.0.1", 0) as server:
        url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(EngineDownError, match="INFO"):
            async with opened(url):
                pass
        begin = time.monotonic()
        with pytest.raises(EngineDownError):
            async with opened(url, 0.2):
                pass
        assert time.monotonic() - begin < 1
        for writer in connected:
            writer.close()


async def test_the_wrong_password(shaky_nats: Shaky) -> None:
    """The server's word is passed on, the password is not."""
    wire = Wire(2.0, lambda: None)
    try:
        with pytest.raises(EngineDownError, match="Authorization") as raised:
            await wire.open([f"nats://127.0.0.1:{shaky_nats.server.port}"], {"user": "wsc", "password": "hush"})
        assert "hush" not in str(raised.value)
    finally:
        shaky_nats.server.kill()


async def test_requests_are_answered_each_with_its_own(nats_server: NatsServer) -> None:
    """Many at once do not get mixed up, and whoever gave up takes nobody's answer."""
    async with opened(nats_server.url) as (wire, _):

        def answer(message: Msg) -> None:
            answering.append(asyncio.ensure_future(message.respond(message.data)))

        answering: list[asyncio.Future[None]] = []
        await wire.subscribe("echo", answer)
        asked = [asyncio.ensure_future(wire.request("echo", b"%d" % number)) for number in range(100)]
        await asyncio.sleep(0)
        asked[50].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers.pop(50), asyncio.CancelledError)
        assert [message.data for message in answers if isinstance(message, Msg)] == [b"%d" % n for n in range(100) if n != 50]


async def test_nobody_takes_a_request(nats_server: NatsServer) -> None:
    """The server says so at once."""
    async with opened(nats_server.url) as (wire, _):
        assert status_of(await wire.request("nobody.is.here", b"")) == NOBODY


async def test_no_answer(nats_server: NatsServer) -> None:
    """A request is given up when its time is over, each at its own, and the wire is uneasy about it."""
    async with opened(nats_server.url, 0.5) as (wire, uneasy):
        await wire.subscribe("mute", lambda message: None)
        first = asyncio.ensure_future(wire.request("mute", b""))
        await asyncio.sleep(0.3)
        second = asyncio.ensure_future(wire.request("mute", b""))
        with pytest.raises(EngineDownError, match=r"no answer within 0\.5 s"):
            await first
        assert not second.done()
        assert uneasy.is_set()
        with pytest.raises(EngineDownError):
            await second


async def test_a_process_that_slept_waits_once_more(nats_server: NatsServer) -> None:
    """Time in which this process did not run does not count: the answer may be there, and is not read yet."""
    async with opened(nats_server.url, 0.3) as (wire, uneasy):
        asked = asyncio.ensure_future(wire.request("$JS.API.INFO", b""))
        await asyncio.sleep(0)
        time.sleep(1)  # noqa: ASYNC251 - it is blocked, as by a handler that computes
        assert b"account_info" in (await asked).data
        assert not uneasy.is_set()


async def test_the_connection_breaks(shaky_nats: Shaky) -> None:
    """Whoever waits is told at once, and so is everybody afterwards."""
    async with opened(f"nats://127.0.0.1:{shaky_nats.server.port}") as (wire, uneasy):
        await wire.subscribe("mute", lambda message: None)
        asked = asyncio.ensure_future(wire.request("mute", b""))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(shaky_nats.server.kill)
        async with asyncio.timeout(1):
            with pytest.raises(EngineDownError, match="the connection broke"):
                await asked
            await uneasy.wait()
        assert not wire.is_open
        with pytest.raises(EngineDownError, match="the connection broke"):
            await wire.request("tea", b"")
        with pytest.raises(EngineDownError, match="the connection broke"):
            await wire.subscribe("tea", lambda message: None)


async def test_closing_a_wire_to_a_frozen_server(shaky_nats: Shaky) -> None:
    """It takes no longer than its time-out, though much waits to be written; broken, no time at all."""
    for is_broken, seconds in ((False, 0.5), (True, 0.1)):
        async with opened(f"nats://127.0.0.1:{shaky_nats.server.port}", 0.3) as (wire, _):
            shaky_nats.server.pause()
            asked = [asyncio.ensure_future(wire.request("tea", bytes(8 << 20))) for _ in range(3)]
            await asyncio.sleep(0.05)
            begin = time.monotonic()
            await wire.close(is_broken=is_broken)
            assert time.monotonic() - begin < seconds
            assert all(isinstance(each, EngineDownError) for each in await asyncio.gather(*asked, return_exceptions=True))
            shaky_nats.server.go_on()
    shaky_nats.server.kill()
