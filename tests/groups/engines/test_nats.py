"""The NATS engine: its options, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from wscontrollers.exceptions import DeclarationError, EngineDownError, EngineError
from wscontrollers.groups.engines import nats_link
from wscontrollers.groups.engines.engine import Connection, EngineState, History, Position
from wscontrollers.groups.engines.nats import NatsEngine

from .cable import Cable
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
        ({"nonsense": 1}, "nats-py knows no option 'nonsense'"),
        ({"timeout": -1}, "timeout=-1 cannot be"),
        ({"timeout": float("nan")}, "timeout=nan cannot be"),
        ({"storage": "disk"}, "storage='disk' cannot be"),
        ({"replicas": 0}, "replicas=0 cannot be"),
        ({"servers": "nats://user:secret/x@host"}, "a URL cannot be read"),
        ({"servers": "nats://user:secret#x@host"}, "a URL cannot be read"),
        ({"servers": "nats://secret/x@host"}, "a URL cannot be read"),
        ({"servers": "nats://host:4222/kitchen"}, "a URL cannot be read"),
        ({"servers": "ws://user:secret@host"}, "'ws' is no scheme of NATS"),
        ({"servers": "nats://user:secret@host?prefix=a.b"}, r"the prefix 'a\.b' cannot be"),
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
    """Applications with their own prefixes share a server, and nothing else; a prefix can be given in the URL."""
    async with (
        connected(NatsEngine(f"{nats_server.url}?prefix=ann")) as (ann, _),
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
        for given in (order, ",".join(order)):
            async with connected(NatsEngine(given)) as (connection, _):
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


async def test_what_is_not_kept_takes_no_room(tmp_path: Path) -> None:
    """Of a long message its number is left: publishing goes on where the payloads of all channels would fill the server."""
    server = NatsServer(tmp_path / "data", memory="3MB")
    server.start()
    try:
        async with connected(NatsEngine(server.url)) as (connection, _):
            for number in range(100):
                await connection.publish(f"user {number}", bytes(100_000))
    finally:
        server.kill()


async def test_long_messages_that_are_not_kept_come_in_their_order(nats_server: NatsServer) -> None:
    """Each follows on the one before it, for who was there and for who came between; two publishers at once harm nothing."""
    engine = NatsEngine(nats_server.url, prefix="long")
    async with connected(engine) as (ann, _), connected(engine) as (bob, heard):
        begin = await bob.subscribe("tea")
        numbers = [(await ann.publish("tea", b"%d" % n + bytes(2000))).offset for n in range(20)]

        async def publish(connection: Connection) -> None:
            for _ in range(50):
                numbers.append((await connection.publish("tea", bytes(2000))).offset)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish, ann)
            tasks.start_soon(publish, bob)
        await heard.until(lambda: len(heard.arrivals) == 120)
        assert [arrival.position.offset for arrival in heard.arrivals] == sorted(numbers)
        assert [arrival.previous for arrival in heard.arrivals] == [begin.offset, *sorted(numbers)[:-1]]
        async with connected(engine) as (cyd, news):
            assert (await cyd.subscribe("tea")).offset == max(numbers)
            await ann.publish("tea", b"small")
            await news.until(lambda: news.arrivals)
            assert news.arrivals[0].previous == max(numbers)
            assert not (await cyd.read("tea", begin)).is_complete


async def test_an_interruption_behind_a_long_message_loses_nothing(shaky_nats: Shaky) -> None:
    """The stub in its place is none that is missing."""
    async with Cable(shaky_nats.server.port) as cable, connected(shaky_nats.make(cable.port, timeout=1.0)) as (here, heard):
        await here.subscribe("tea")
        places: list[Position] = []
        for _ in range(3):
            places.append(await here.publish("tea", bytes(5000)))
            await heard.until(lambda: len(heard.arrivals) == len(places))
            heard.states.clear()
            await cable.snap()
            await heard.until_state(EngineState.UP)
            assert heard.resumptions[-1] == ("tea", places[-1])
        await here.publish("tea", b"small")
        await heard.until(lambda: len(heard.arrivals) == 4)
        assert heard.arrivals[-1].previous == places[-1].offset
    shaky_nats.server.kill()
