"""Where the connections to a Redis come from: a URL, a client that is there already, or a Sentinel."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import anyio
from redis.asyncio import ConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode, NodesManager
from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from ...exceptions import DeclarationError

Address = tuple[str, int]


class Source(NamedTuple):
    """Where connections come from.

    Attributes:
        name: Without anything secret.
        database: Its number; pub/sub knows of none.
        opened: What makes pools, for as long as the context lasts; for a cluster, to a host and port.
        nodes: Makes what finds the nodes of a cluster, from those that the URL names and those that are known besides; None for a
            single server.
    """

    name: str
    database: int
    opened: Callable[[], AbstractAsyncContextManager[Callable[..., ConnectionPool]]]
    nodes: Callable[[Iterable[Address]], NodesManager] | None = None


def source_of(given: str | Redis | RedisCluster, *, cluster: bool, timeout: float, options: dict[str, Any]) -> Source:
    """Read a URL, or take a client for what it is connected to.

    Raises:
        DeclarationError: It is none, or redis-py does not know an option.
    """
    if not isinstance(given, str):
        return _borrowed(given, timeout, options)
    try:
        parts = urlsplit(given)
        scheme, _, kind = parts.scheme.partition("+")
        if scheme not in ("redis", "rediss", "unix") or kind not in ("", "cluster", "sentinel"):
            fix = "use redis://, rediss://, redis+cluster:// or redis+sentinel://"
            raise _fault(f"{parts.scheme!r} is no scheme of Redis", fix)
        if kind == "sentinel":
            return _sentinel(parts, scheme, timeout, options)
        settings: dict[str, Any] = {**options, **parse_url(given.replace(f"+{kind}", "", 1) if kind else given)}
    except ValueError:  # its text may hold a part of the password
        raise _fault("the URL cannot be read", "write redis://user:password@host:6379/0, special characters as %2F") from None
    if scheme != "unix" and not (parts.path.strip("/") or "0").isdecimal():  # redis-py would take it for 0
        raise _fault("the URL's path is no number of a database", "write redis://host:6379/0")
    made_by = settings.pop("connection_class", Connection)
    if cluster or kind == "cluster":
        seed = (settings.pop("host", "localhost"), settings.pop("port", 6379))
        return _cluster([seed], settings, made_by, timeout)
    return _single(made_by, settings)


def _borrowed(client: Any, timeout: float, options: dict[str, Any]) -> Source:
    """What a client is connected to; it may be in use, and is not touched."""
    if isinstance(client, RedisCluster):
        nodes: list[Any] = list(client.nodes_manager.startup_nodes.values())
        seeds = [(str(node.host), int(node.port)) for node in nodes]
        return _cluster(seeds, nodes[0].connection_kwargs | options, nodes[0].connection_class, timeout)
    pool: Any = client.connection_pool
    return _single(pool.connection_class, pool.connection_kwargs | options)


def _single(made_by: type, settings: dict[str, Any]) -> Source:
    settings = _ours(settings)
    name = _tried(made_by, settings)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Callable[[], ConnectionPool]]:
        yield lambda: ConnectionPool(connection_class=_abrupt(made_by), maint_notifications_config=_NO_NEWS, **settings)

    return Source(name, int(settings.get("db") or 0), opened)


def _cluster(seeds: Sequence[Address], settings: dict[str, Any], made_by: type, timeout: float) -> Source:
    settings = {key: value for key, value in _ours(settings).items() if key not in ("host", "port")}
    _tried(made_by, settings)
    # Whoever is asked for the nodes, and does not answer, leaves time for others.
    half = timeout / 2
    looking: dict[str, Any] = {**settings, "socket_timeout": half, "socket_connect_timeout": half, "connection_class": made_by}

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Callable[[str, int], ConnectionPool]]:
        def pool(host: str, port: int) -> ConnectionPool:
            abrupt = _abrupt(made_by)
            return ConnectionPool(connection_class=abrupt, maint_notifications_config=_NO_NEWS, host=host, port=port, **settings)

        yield pool

    def nodes(known: Iterable[Address]) -> NodesManager:
        return NodesManager([ClusterNode(host, port, **looking) for host, port in {*seeds, *known}], False, looking)

    host, port = seeds[0]
    return Source(f"redis cluster at {host}:{port}", int(settings.get("db") or 0), opened, nodes)


def _sentinel(parts: SplitResult, scheme: str, timeout: float, options: dict[str, Any]) -> Source:
    service, _, database = parts.path.strip("/").partition("/")
    hosts = [_host_and_port(each) for each in parts.netloc.rpartition("@")[2].split(",") if each]
    if not service or not hosts or not (database or "0").isdecimal():
        raise _fault("the URL names no service", "write redis+sentinel://host:26379,host:26379/service")
    settings: dict[str, Any] = {**options, "db": int(database or 0)}
    user, has_password, password = parts.netloc.rpartition("@")[0].partition(":")
    if user:
        settings["username"] = unquote(user)
    if has_password:
        settings["password"] = unquote(password)
    half = timeout / 2
    asked: dict[str, Any] = {"socket_timeout": half, "socket_connect_timeout": half, "retry": _RETRY}
    asked.update(options.get("sentinel_kwargs", {}))
    settings.pop("sentinel_kwargs", None)
    settings = _ours(settings)
    has_tls = scheme == "rediss"
    _tried(SSLConnection if has_tls else Connection, settings)
    made_by = _abrupt(SentinelManagedSSLConnection if has_tls else SentinelManagedConnection)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Callable[[], ConnectionPool]]:
        sentinel: Any = Sentinel(hosts, sentinel_kwargs=asked, maint_notifications_config=_NO_NEWS, **settings)  # type: ignore[no-untyped-call]  # it has no annotations
        try:
            yield lambda: sentinel.master_for(service, connection_class=made_by).connection_pool
        finally:
            with anyio.CancelScope(shield=True):
                await sentinel.aclose()

    return Source(f"redis service {service!r}", int(database or 0), opened)


def _host_and_port(text: str) -> tuple[str, int]:
    split = urlsplit(f"//{text}")
    return split.hostname or "localhost", split.port or 26379


def _tried(made_by: Callable[..., Any], settings: dict[str, Any]) -> str:
    """What a connection with these settings is called; one that redis-py does not know is told now and not at the start."""
    try:
        return address(made_by(**settings))
    except TypeError as error:
        raise _fault(str(error).rpartition("() ")[2], "see redis-py's Connection for what it takes") from None


def address(connection: Any) -> str:
    """Where a connection leads, without anything secret."""
    path = getattr(connection, "path", None)
    return f"redis at {path or f'{connection.host}:{connection.port}'}"


def _fault(what: str, fix: str) -> DeclarationError:
    return DeclarationError.at("RedisEngine(...)", what, fix=fix)


_RETRY = Retry(NoBackoff(), 0)
_NO_NEWS = MaintNotificationsConfig(enabled=False)


def _ours(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a connection; waiting, trying again, and looking whether a server is alive, an engine does by itself."""
    lent = {key: value for key, value in settings.items() if key not in _POOLS and "maint" not in key and "orig_" not in key}
    return lent | {
        "protocol": 3,
        "decode_responses": False,
        "socket_timeout": None,
        "health_check_interval": 0,
        "retry": _RETRY,
        "retry_on_error": [],
        "retry_on_timeout": False,
    }


_POOLS = {"max_connections", "himport_registry", "event_dispatcher"}
"""What a pool that lends its settings put there for itself, besides what it does about maintenance."""


class _Abrupt:
    """Ends a connection of redis-py at once: a server that is frozen takes nothing more, and would hold the socket open."""

    _writer: Any

    async def disconnect(self, *args: Any, **options: Any) -> None:
        writer = self._writer
        if writer is not None:
            writer.transport.abort()
        await super().disconnect(nowait=True)  # type: ignore[misc]  # that of the class it is mixed into


def _abrupt(made_by: type) -> type:
    return type(f"Abrupt{made_by.__name__}", (_Abrupt, made_by), {})
