"""What is relied on in nats-py's client."""

from __future__ import annotations

import asyncio
import logging

import pytest
from nats.aio.msg import Msg

from wscontrollers.groups.engines.nats_client import OneWayClient

from .nats_server import NatsServer


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


async def ignore(*args: object) -> None:
    """Take no notice."""


async def joined(server: NatsServer) -> OneWayClient:
    """A client that is connected."""
    client = OneWayClient()
    await client.join([server.url], {}, 2.0, ignore, ignore)
    return client


async def test_messages_are_handed_on_as_they_are_read(nats_server: NatsServer) -> None:
    """All of them, in their order, without a queue that could be full, and without a task of their own."""
    client = await joined(nats_server)
    tasks = asyncio.all_tasks()
    taken: list[bytes] = []
    is_full = asyncio.Event()

    def take(message: Msg) -> None:
        taken.append(message.data)
        if len(taken) == 10_000:
            is_full.set()

    await client.hear("many", take)
    assert asyncio.all_tasks() == tasks
    for number in range(10_000):
        await client.publish("many", b"%d" % number)
    async with asyncio.timeout(10):
        await is_full.wait()
    assert taken == [b"%d" % number for number in range(10_000)]
    await client.close()


async def test_who_takes_a_message_and_fails(nats_server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next message is read."""
    client = await joined(nats_server)
    taken = asyncio.Event()

    def take(message: Msg) -> None:
        if message.data == b"bad":
            raise ValueError("no tea")
        taken.set()

    await client.hear("tea", take)
    await client.publish("tea", b"bad")
    await client.publish("tea", b"good")
    async with asyncio.timeout(5):
        await taken.wait()
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "nats: a message could not be delivered"
    ]
    await client.close()


@pytest.mark.parametrize(
    "headers",
    [{"Nats-Sequence": "12"}, {"A": "", "B": "x: y"}, {"Wsc": "100/300.0", "Nats-TTL": "602", "Text": "grüße"}],
)
async def test_headers_are_read_as_nats_py_does(nats_server: NatsServer, headers: dict[str, str]) -> None:
    """The quicker way of reading them finds the same."""
    client = await joined(nats_server)
    found: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
    await client.hear("tea", found.set_result)
    await client.publish("tea", b"x", headers=headers)
    async with asyncio.timeout(5):
        assert (await found).headers == headers
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    assert client._parse_header_lines(raw) == super(OneWayClient, client)._parse_header_lines(raw) == headers
    await client.close()


async def test_nothing_is_written_once_it_is_aborted(nats_server: NatsServer) -> None:
    """What waits goes with the socket, and closing does not wait for a peer that takes nothing."""
    client = await joined(nats_server)
    other = await joined(nats_server)
    taken: list[bytes] = []
    is_over = asyncio.Event()

    def take(message: Msg) -> None:
        taken.append(message.data)
        if message.data == b"end":
            is_over.set()

    await other.hear("tea", take)
    await other.publish("nothing", b"")
    await client.publish("tea", b"late")
    client.abort()
    async with asyncio.timeout(5):
        await client.close()
    await other.publish("tea", b"end")
    async with asyncio.timeout(5):
        await is_over.wait()
    assert taken == [b"end"]
    await other.close()
