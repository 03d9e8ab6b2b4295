"""Where the connections to a Redis come from."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection

from wscontrollers.groups.engines.redis_sources import source_of


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


def read(url: Any, **options: Any) -> Any:
    return source_of(url, cluster=options.pop("cluster", False), timeout=2.0, options=options)


@pytest.mark.parametrize(
    ("url", "name", "database", "is_cluster"),
    [
        ("redis://", "redis at localhost:6379", 0, False),
        ("redis://user:secret@host:1/2", "redis at host:1", 2, False),
        ("rediss://host?db=3", "redis at host:6379", 3, False),
        ("unix:///run/redis.sock?db=4", "redis at /run/redis.sock", 4, False),
        ("redis+cluster://:secret@host:7000", "redis cluster at host:7000", 0, True),
        ("redis+sentinel://:secret@one:1,two/service/5", "redis service 'service'", 5, False),
    ],
)
def test_names(url: str, name: str, database: int, is_cluster: bool) -> None:
    """A source tells where it leads, and no secret."""
    source = read(url)
    assert (source.name, source.database, source.nodes is not None) == (name, database, is_cluster)


async def test_connections_of_a_url() -> None:
    """What the URL and the options say reaches redis-py; waiting and trying again are the engine's own."""
    async with read("rediss://u:p%2F@host:1/2", client_name="me", ssl_ca_certs="/ca", socket_timeout=99).opened() as pool:
        connection = pool().make_connection()
    assert isinstance(connection, SSLConnection)
    assert (connection.host, connection.port, connection.db) == ("host", 1, 2)
    assert (connection.username, connection.password, connection.client_name) == ("u", "p/", "me")
    assert (connection.protocol, connection.socket_timeout, connection.retry.get_retries()) == (3, None, 0)


async def test_connections_of_a_client() -> None:
    """So does what a client was made with, whatever it has decoded for others."""
    client = Redis(host="host", port=1, db=2, password="p", decode_responses=True, protocol=2)
    async with client, read(client, client_name="me").opened() as pool:
        connection = pool().make_connection()
    assert (connection.client_name, connection.maint_notifications_config) == ("me", None)
    assert isinstance(connection, Connection)
    assert (connection.host, connection.port, connection.db, connection.password) == ("host", 1, 2, "p")
    assert (connection.protocol, connection.encoder.decode_responses) == (3, False)


@pytest.mark.parametrize(
    ("url", "made_by"), [("redis+cluster://:p@host:1", Connection), ("rediss+cluster://:p@host:1", SSLConnection)]
)
async def test_connections_of_a_cluster(url: str, made_by: type) -> None:
    """They are made to any node, with the same settings; `cluster=True` says the same as the scheme."""
    for source in (read(url), read(url.replace("+cluster", ""), cluster=True)):
        manager = source.nodes([("other", 3)])
        assert sorted(manager.startup_nodes) == ["host:1", "other:3"]
        async with source.opened() as pool:
            connection = pool("node", 2).make_connection()
        assert isinstance(connection, made_by)
        assert isinstance(connection, SSLConnection) == (made_by is SSLConnection)
        assert (connection.host, connection.port, connection.password) == ("node", 2, "p")


async def test_connections_of_a_sentinel() -> None:
    """User and password are the service's; those of the Sentinels are an option of its own."""
    source = read("redis+sentinel://u:p%2F@one:1,two/service/3", sentinel_kwargs={"password": "s"}, client_name="me")
    async with source.opened() as pool:
        of_service = pool()
        connection = of_service.make_connection()
        asked = [each.connection_pool.connection_kwargs for each in of_service.sentinel_manager.sentinels]
        assert [(each["host"], each["port"], each["password"]) for each in asked] == [("one", 1, "s"), ("two", 26379, "s")]
        assert (of_service.service_name, connection.db, connection.client_name) == ("service", 3, "me")
        assert (connection.username, connection.password) == ("u", "p/")
