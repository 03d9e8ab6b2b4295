"""The Redis engine: how it is told where to go, and what it does there that other engines do not."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import anyio
import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis, RedisCluster

from wscontrollers.exceptions import DeclarationError, EngineDownError, EngineError
from wscontrollers.groups.engines.engine import EngineState, History
from wscontrollers.groups.engines.redis import RedisEngine

from .listening import Heard, connected
from .servers import RedisCluster as ClusterServers
from .servers import RedisServer, free_port, valkey_binary


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


async def works(engine: RedisEngine, channel: str = "tea") -> None:
    """An engine subscribes, publishes and hears."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe(channel)
        place = await connection.publish(channel, b"data", History())
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[0].position == place


# Where it goes


@pytest.mark.parametrize("decode", [False, True])
async def test_a_client_lends_its_settings(valkey: RedisServer, decode: bool) -> None:
    """A ready client says where to go; it is not used itself, nor closed."""
    async with Redis.from_url(valkey.url, decode_responses=decode, max_connections=1) as client:
        await works(RedisEngine(client, prefix=token_hex(4)))
        assert await client.ping()


async def test_a_cluster_client_lends_its_settings(cluster: ClusterServers) -> None:
    """So does the client of a cluster."""
    async with RedisCluster(host="127.0.0.1", port=cluster.masters[1].port) as client:
        await works(RedisEngine(client, prefix=token_hex(4)))


async def test_a_unix_socket(tmp_path: Path) -> None:
    """`unix://` leads to a socket in the file system."""
    path = tmp_path / "s"
    server = RedisServer(valkey_binary(), tmp_path / "data", "--unixsocket", str(path))
    server.start()
    try:
        await works(RedisEngine(f"unix://{path}"))
    finally:
        server.kill()
    with pytest.raises(EngineDownError, match=f"redis at {path}: it is not there"):
        await works(RedisEngine(f"unix://{path}"))


@asynccontextmanager
async def behind_tls(port: int, folder: Path) -> AsyncIterator[int]:
    """A port that speaks TLS, with a certificate that is its own authority, and passes on what it hears."""
    made = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "key"), "-out", str(folder / "cert")),
    ]
    await anyio.run_process(made, stderr=subprocess.DEVNULL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert", folder / "key")
    flows: set[asyncio.Task[None]] = set()

    async def flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.transport.abort()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        flows.update((asyncio.create_task(flow(reader, back)), asyncio.create_task(flow(there, writer))))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*flows, return_exceptions=True)


async def test_tls(valkey: RedisServer, tmp_path: Path) -> None:
    """`rediss://` checks the certificate; redis-py's own options say how."""
    async with behind_tls(valkey.port, tmp_path) as port:
        url = f"rediss://localhost:{port}"
        await works(RedisEngine(url, prefix=token_hex(4), ssl_ca_certs=str(tmp_path / "cert")))
        with pytest.raises(EngineDownError, match="certificate verify failed"):
            await works(RedisEngine(url))


async def test_databases_and_prefixes_are_apart(valkey: RedisServer) -> None:
    """Pub/sub knows of no databases; what is published in one is not heard in another all the same."""
    prefix = token_hex(4)
    engines = [
        RedisEngine(valkey.url, prefix=prefix),
        RedisEngine(valkey.url.replace("/0", "/1"), prefix=prefix),
        RedisEngine(f"{valkey.url}?prefix={prefix}x", prefix="another"),
    ]
    async with connected(engines[0]) as one, connected(engines[1]) as two, connected(engines[2]) as three:
        for connection, heard in (one, two, three):
            await connection.subscribe("tea")
            await connection.publish("tea", b"%d" % id(heard))
            await connection.put("space", "key", b"")
            await connection.renew(f"{id(heard)}", 60)
        for connection, heard in (one, two, three):
            await heard.until(lambda heard=heard: heard.arrivals)
            assert heard.data("tea") == [b"%d" % id(heard)]
            assert await connection.alive() == {f"{id(heard)}"}


@pytest.mark.parametrize(
    ("url", "options", "fault"),
    [
        ("http://secret@host", {}, "'http' is no scheme of Redis"),
        ("redis+tls://secret@host", {}, r"'redis\+tls' is no scheme of Redis"),
        ("redis://:secret/x@host", {}, "the URL cannot be read"),
        ("redis://:secret@host/abc", {}, "path is no number of a database"),
        ("redis+cluster://:secret@host/abc", {}, "path is no number of a database"),
        ("redis://:secret@host?prefix=a{b}", {}, r"'a\{b\}' is none"),
        ("redis+sentinel://:secret@host", {}, "the URL names no service"),
        ("redis+sentinel://:secret@host/service/x", {}, "the URL names no service"),
        ("redis+sentinel://:secret@host:x/service", {}, "the URL cannot be read"),
        ("redis://:secret@host", {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ("redis+cluster://:secret@host", {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ("redis+sentinel://:secret@host/service", {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ("redis://:secret@host", {"prefix": "a{b}"}, r"'a\{b\}' is none"),
        ("redis://:secret@host", {"prefix": ""}, "'' is none"),
        ("redis://:secret@host", {"timeout": 0}, "a time is too short"),
        ("redis://:secret@host", {"forget_after": 0.5}, "a time is too short"),
    ],
)
def test_declarations(url: str, options: dict[str, Any], fault: str) -> None:
    """What cannot be is told when the engine is declared, and not when the application starts; never with a password."""
    with pytest.raises(DeclarationError, match=rf"RedisEngine\(.*\): .*{fault}.* Fix: ") as raised:
        RedisEngine(url, **options)
    assert "secret" not in str(raised.value)


# What a server refuses


async def test_a_wrong_password(tmp_path: Path) -> None:
    """It is no matter of waiting: it is raised though the server is not required, and the password is not shown."""
    server = RedisServer(valkey_binary(), tmp_path / "data", "--requirepass", "right")
    server.start()
    try:
        for url in (f"redis://:secret@127.0.0.1:{server.port}", f"redis://127.0.0.1:{server.port}"):
            with pytest.raises(EngineError, match=rf"redis at 127\.0\.0\.1:{server.port}: it refuses: .*Fix: ") as raised:
                await works(RedisEngine(url, required=False))
            assert not isinstance(raised.value, EngineDownError)
            assert "secret" not in str(raised.value)
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("rights", "call"), [("-info", "connect"), ("-subscribe", "subscribe"), ("resetchannels", "publish"), ("-hset", "put")]
)
async def test_a_user_who_may_not(valkey: RedisServer, rights: str, call: str) -> None:
    """The error says what is refused, and what a user must be allowed."""
    name = f"u{token_hex(4)}"
    assert valkey.ask(f"ACL SETUSER {name} on >secret ~* &* +@all {rights}").startswith("+OK")
    url = f"redis://{name}:secret@127.0.0.1:{valkey.port}"
    engine = RedisEngine(url, prefix=token_hex(4))

    async def use() -> None:
        async with connected(engine) as (connection, _):
            if call == "subscribe":
                await connection.subscribe("tea")
            if call == "publish":
                await connection.publish("tea", b"1")
            if call == "put":
                await connection.put("space", "key", b"")

    with pytest.raises(EngineError, match=r"NOPERM|ACL failure|No permissions") as raised:
        await use()
    assert not isinstance(raised.value, EngineDownError)
    assert "Fix: let the user run EVALSHA" in str(raised.value)
    valkey.ask(f"ACL DELUSER {name}")


async def test_a_full_server(tmp_path: Path) -> None:
    """It refuses to keep more, and says so; the connection stays."""
    server = RedisServer(valkey_binary(), tmp_path / "data", "--maxmemory", "3mb")
    server.start()
    try:
        async with connected(RedisEngine(server.url)) as (connection, heard):

            async def fill() -> None:
                for _ in range(100):
                    await connection.publish("tea", bytes(100_000), History(1000))

            with pytest.raises(EngineError, match=r"OOM.*Fix: give it more memory, or keep fewer messages"):
                await fill()
            assert (await connection.read("tea")).entries
            assert heard.states == []
    finally:
        server.kill()


# What others do to it


async def test_a_connection_is_killed(valkey: RedisServer) -> None:
    """`CLIENT KILL` is a short break: down and up, and what was published meanwhile is told by the position."""
    name = token_hex(4)
    engine = RedisEngine(valkey.url, prefix=name, client_name=name)
    async with connected(engine) as (connection, heard), Redis.from_url(valkey.url) as redis:
        await connection.subscribe("tea")
        place = await connection.publish("tea", b"1")
        for client in [each for each in await redis.client_list() if each["name"] == name]:
            await redis.client_kill_filter(_id=client["id"])
        await heard.until_state(EngineState.UP)
        assert heard.resumptions == [("tea", place)]
        assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
        await connection.publish("tea", b"2")
        await heard.until(lambda: heard.data("tea") == [b"1", b"2"])


async def test_a_slow_listener_is_cut_off_and_knows_it(tmp_path: Path) -> None:
    """A server ends a connection that does not take what it is sent: the position tells how much was lost."""
    server = RedisServer(valkey_binary(), tmp_path / "data", "--client-output-buffer-limit", "pubsub 1mb 1mb 1")
    server.start()
    try:
        async with connected(RedisEngine(server.url)) as (slow, heard):
            redis = BlockingRedis.from_url(server.url)
            await slow.subscribe("tea")
            end = await slow.publish("tea", b"first")
            # The event loop stands still meanwhile, as it does under a handler that blocks.
            for _ in range(1000):
                redis.publish("wsc{:tea}", b"e 1\n" + bytes(100_000))
            await heard.until_state(EngineState.UP)
            await heard.until(lambda: heard.resumptions)
            assert heard.resumptions == [("tea", end)]
            assert len(heard.arrivals) < 1000
            redis.close()
    finally:
        server.kill()


async def test_a_restart_with_data_is_another_epoch(tmp_path: Path) -> None:
    """Its file may be behind what was heard already; so nobody goes on from a place of before, and what is there is readable."""
    server = RedisServer(valkey_binary(), tmp_path / "data", "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    try:
        async with connected(RedisEngine(server.url)) as (connection, heard):
            await connection.subscribe("tea")
            old = await connection.publish("tea", b"1", History())
            await anyio.to_thread.run_sync(server.kill)
            await anyio.to_thread.run_sync(server.start)
            await heard.until(lambda: heard.resumptions)
            (_, position), *_ = heard.resumptions
            assert position.epoch != old.epoch
            assert not (await connection.read("tea", old)).is_complete
            assert (await connection.read("tea")).entries == [(old.offset, b"1")]
    finally:
        server.kill()


async def test_somebody_else_publishes_to_a_channel(valkey: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """What is no message of an engine is left out, with a line in the log."""
    prefix = token_hex(4)
    engine = RedisEngine(valkey.url, prefix=prefix)
    async with connected(engine) as (connection, heard), Redis.from_url(valkey.url) as redis:
        await connection.subscribe("tea")
        await redis.publish(f"{prefix}{{:tea}}", "hello")
        await connection.publish("tea", b"ours")
        await heard.until(lambda: heard.arrivals)
        assert heard.data("tea") == [b"ours"]
        assert heard.states == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "somebody else publishes to" in caplog.text


async def test_a_quiet_subscription_keeps_its_numbering(valkey: RedisServer) -> None:
    """As long as somebody is subscribed it is not forgotten: the first message after days of silence is no gap."""
    prefix = token_hex(4)
    async with (
        connected(RedisEngine(valkey.url, prefix=prefix, forget_after=1)) as (connection, heard),
        Redis.from_url(valkey.url) as redis,
    ):
        position = await connection.subscribe("tea")
        for _ in range(5):
            await anyio.sleep(0.3)  # longer, all in all, than it lives without being used
            assert await redis.exists(f"{prefix}{{:tea}}")
        await connection.publish("tea", b"1")
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[0].previous == position.offset
        assert heard.arrivals[0].position.epoch == position.epoch


async def test_many_subscriptions_are_there_again(tmp_path: Path) -> None:
    """Thousands are told in one go, though a time-out is short."""
    server = RedisServer(valkey_binary(), tmp_path / "data")
    server.start()
    try:
        async with connected(RedisEngine(server.url, timeout=2.0)) as (connection, heard):
            async with anyio.create_task_group() as tasks:
                for number in range(3000):
                    tasks.start_soon(connection.subscribe, f"room {number}")
            await anyio.to_thread.run_sync(server.kill)
            await anyio.to_thread.run_sync(server.start)
            await heard.until_state(EngineState.UP)
            assert len(heard.resumptions) == 3000
            assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
    finally:
        server.kill()


def test_trio() -> None:
    """redis-py runs on asyncio only: on trio the error says so."""

    async def main() -> None:
        async with RedisEngine("redis://localhost").connect(Heard()):
            pass

    with pytest.raises(EngineError, match=r"redis-py runs on asyncio only\. Fix: "):
        anyio.run(main, backend="trio")


async def test_a_server_that_is_not_there() -> None:
    """The error says where, and what can be done."""
    port = free_port()
    with pytest.raises(
        EngineDownError, match=rf"redis at 127\.0\.0\.1:{port}: it is not there: .*Fix: start it, or check the URL"
    ):
        await works(RedisEngine(f"redis://:secret@127.0.0.1:{port}"))
