"""The NATS engine: its options, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wscontrollers.exceptions import DeclarationError, EngineDownError, EngineError
from wscontrollers.groups.engines import nats_link
from wscontrollers.groups.engines.engine import EngineState, History
from wscontrollers.groups.engines.nats import NatsEngine

from .listening import connected
from .nats_server import NatsServer
from .servers import Shaky, free_port


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"prefix": "a.b"}, r"the prefix 'a\.b' cannot be in a subject"),
        ({"prefix": ""}, "cannot be in a subject"),
        ({"pending_size": 1}, "the option 'pending_size' of nats-py is set by the engine"),
        ({"allow_reconnect": True}, "the option 'allow_reconnect'"),
    ],
)
def test_arguments_that_cannot_be(options: dict[str, Any], text: str) -> None:
    """They are refused when the engine is made, with the fix."""
    with pytest.raises(DeclarationError, match=rf"NatsEngine: .*{text}.*Fix: "):
        NatsEngine(**options)


@pytest.mark.parametrize("required", [True, False])
async def test_a_server_without_jetstream(tmp_path: Path, required: bool) -> None:
    """Nothing mends that but its operator, so it is told at once, also where the engine may begin without a server."""
    server = NatsServer(tmp_path / "data", jetstream=False)
    server.start()
    try:
        with pytest.raises(EngineError, match=r"NatsEngine: the server has no JetStream.*Fix: start it with `nats-server -js`"):
            async with connected(NatsEngine(server.url, required=required)):
                pass
    finally:
        server.kill()


async def test_a_server_that_is_too_old(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version is told, and the oldest that will do."""
    monkeypatch.setattr(nats_link, "_OLDEST", (99, 0))
    with pytest.raises(EngineError, match=r"NatsEngine: the server's version is 2\.\d+\. Fix: "):
        async with connected(NatsEngine(nats_server.url)):
            pass


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_another_event_loop() -> None:
    """nats-py runs on asyncio."""
    with pytest.raises(EngineError, match=r"NatsEngine: .*asyncio.*Fix: "):
        async with connected(NatsEngine()):
            pass


async def test_a_message_that_is_too_big(nats_server: NatsServer) -> None:
    """It is refused before it is sent, as the server would end the connection."""
    async with connected(NatsEngine(nats_server.url)) as (connection, heard):
        with pytest.raises(EngineError, match=r"a message of 9,437,184 bytes.*max_payload.*Fix: ") as raised:
            await connection.publish("tea", bytes(9 << 20))
        assert not isinstance(raised.value, EngineDownError)
        await connection.publish("tea", b"1")
        assert heard.states == []


async def test_prefixes_do_not_meet(nats_server: NatsServer) -> None:
    """Applications with their own prefixes share a server, and nothing else."""
    async with (
        connected(NatsEngine(nats_server.url, prefix="ann")) as (ann, _),
        connected(NatsEngine(nats_server.url, prefix="bob")) as (bob, heard),
    ):
        await bob.subscribe("tea")
        await ann.publish("tea", b"ann", History())
        await ann.put("space", "key", b"ann")
        await ann.renew("node", 60)
        await bob.publish("tea", b"bob")
        await heard.until(lambda: heard.arrivals)
        assert heard.data("tea") == [b"bob"]
        assert (await bob.read("tea")).entries == []
        assert await bob.entries("space") == {}
        assert await bob.alive() == frozenset()


async def test_the_same_prefix_with_another_storage(nats_server: NatsServer) -> None:
    """It is refused: streams are made once."""
    async with connected(NatsEngine(nats_server.url, prefix="stored")):
        with pytest.raises(EngineError, match=r"storage='memory'.*Fix: "):
            async with connected(NatsEngine(nats_server.url, prefix="stored", storage="file")):
                pass


async def test_several_servers(nats_server: NatsServer) -> None:
    """One that is not there is passed over."""
    servers = [f"nats://127.0.0.1:{free_port()}", nats_server.url]
    for order in (servers, servers[::-1]):
        async with connected(NatsEngine(order)) as (connection, _):
            assert connection.state is EngineState.UP


async def test_options_of_nats_py(shaky_nats: Shaky) -> None:
    """They are passed on."""
    url = f"nats://127.0.0.1:{shaky_nats.server.port}"
    try:
        with pytest.raises(EngineDownError, match="Authorization"):
            async with connected(NatsEngine(url)):
                pass
        async with connected(NatsEngine(url, user="wsc", password="secret", name="kitchen")) as (connection, _):
            await connection.publish("tea", b"1")
    finally:
        shaky_nats.server.kill()


async def test_jetstream_in_a_domain(tmp_path: Path) -> None:
    """A leaf node's JetStream has a domain in its requests."""
    server = NatsServer(tmp_path / "data", domain="kitchen")
    server.start()
    try:
        async with connected(NatsEngine(server.url, domain="kitchen")) as (connection, heard):
            begin = await connection.subscribe("tea")
            place = await connection.publish("tea", b"1", History())
            await heard.until(lambda: heard.arrivals)
            assert (await connection.read("tea", begin)).entries == [(place.offset, b"1")]
    finally:
        server.kill()


async def test_streams_are_where_they_should_be(nats_server: NatsServer) -> None:
    """In files, if asked to."""
    async with connected(NatsEngine(nats_server.url, prefix="filed", storage="file")) as (connection, _):
        await connection.publish("tea", b"1", History())
        assert {"filed_messages", "filed_registry"} <= {name for _, names, _ in os.walk(nats_server.folder) for name in names}
