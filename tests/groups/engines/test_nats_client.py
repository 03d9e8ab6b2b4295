"""What is relied on in nats-py's client."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from nats.errors import Error

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


@pytest.mark.parametrize("scheme", ["tls", "nats"])
async def test_nothing_is_told_to_a_server_without_tls(scheme: str) -> None:
    """Where the URL says tls://, or a context was given: neither a password nor anything else goes over an open line."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.11.0","proto":1,"headers":true,"max_payload":1048576}\r\n')
        heard.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"{scheme}://ann:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    options = {} if scheme == "tls" else {"tls": ssl.create_default_context()}
    noted: list[str] = []

    async def note(error: Exception) -> None:
        noted.append(str(error))

    client = OneWayClient()
    with pytest.raises(Error):
        await client.join([url], options, 2.0, note, ignore)
    client.abort()
    server.close()
    async with asyncio.timeout(5):
        assert await heard == b""
    assert "TLS is wanted" in noted[0]


def certified(folder: Path) -> tuple[Path, Path]:
    """A key, and a certificate for this machine that nobody signed."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


async def test_a_server_with_tls(tmp_path: Path) -> None:
    """Is spoken to, if its certificate is trusted."""
    key, certificate = certified(tmp_path)
    server = NatsServer(tmp_path / "data", more=f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}')
    server.start()
    try:
        url = server.url.replace("nats://", "tls://")
        client = OneWayClient()
        await client.join([url], {"tls": ssl.create_default_context(cafile=str(certificate))}, 2.0, ignore, ignore)
        assert client.is_connected
        await client.close()
        with pytest.raises(Exception, match="certificate verify failed"):
            await OneWayClient().join([url], {}, 2.0, ignore, ignore)
    finally:
        server.kill()
