"""Groups across processes, over Redis or Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import anyio

from ...exceptions import DeclarationError, EngineDownError, EngineError
from .engine import Connection, EngineState, History, Listener, Page, Position
from .prefixes import prefix_in
from .redis_calls import end
from .redis_cluster import Cluster
from .redis_scripts import ALIVE, PLACE, READ, RENEW, page, position
from .redis_servers import OneServer, Servers
from .redis_sources import Source, source_of
from .redis_subscriptions import Keys, Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import ConnectionPool, Redis, RedisCluster

DAY: Final = 86400.0


class RedisEngine:
    """Carries groups between processes over Redis (6.2 or newer) or Valkey: one server, a Sentinel's service, or a cluster (7 or
    newer).

    Args:
        url: `redis://user:password@host:6379/0`, `rediss://` with TLS, `unix://`, `redis+cluster://host:6379`,
            `redis+sentinel://host:26379,host:26379/service`; or one of redis-py's asyncio clients, which lends its settings.
        prefix: What all keys and channels begin with; applications with another one do not see each other. That of the URL counts
            before it: `redis://host:6379?prefix=shop`.
        timeout: Seconds after which the server does not answer any more.
        required: Whether the server must be there at the start.
        cluster: Whether a `redis://` URL leads to a cluster.
        forget_after: Seconds after which the numbering of a channel that nobody uses is forgotten.
        options: Whatever redis-py's `Connection` takes: `ssl_ca_certs`, `credential_provider`, `client_name`, `sentinel_kwargs`.

    Raises:
        DeclarationError: The URL or an option is none.
    """

    name = "redis"
    is_shared = True
    is_dense = True

    def __init__(
        self,
        url: str | Redis | RedisCluster,
        *,
        prefix: str = "wsc",
        timeout: float = 2.0,
        required: bool = True,
        cluster: bool = False,
        forget_after: float = DAY,
        **options: Any,
    ) -> None:
        if isinstance(url, str):
            with suppress(ValueError):  # `source_of` says what is wrong with it
                url, given = prefix_in(url)
                prefix = prefix if given is None else given
        if not prefix or "{" in prefix or "}" in prefix:
            raise DeclarationError.at("RedisEngine(prefix=...)", f"{prefix!r} is none", fix="give one without { and }")
        if timeout <= 0 or forget_after < 1:
            raise DeclarationError.at(
                "RedisEngine(...)", "a time is too short", fix="give a timeout above 0, and forget_after of at least 1 second"
            )
        self._source = source_of(url, cluster=cluster, timeout=timeout, options=options)
        self._prefix = prefix
        self._timeout = timeout
        self._required = required
        self._forget_after = int(forget_after)

    def __repr__(self) -> str:
        return f"RedisEngine({self._source.name!r})"

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncGenerator[Connection]:
        """See `Engine.connect`; the event loop is asyncio's.

        Raises:
            EngineDownError: The server is not there, and is required.
            EngineError: The server is there, and refuses.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise EngineError("RedisEngine: redis-py runs on asyncio only. Fix: run the application on asyncio.") from None
        async with self._source.opened() as pool:
            connection = RedisConnection(listener, self._source, pool, self._prefix, self._timeout, self._forget_after)
            try:
                await connection.open(required=self._required)
                yield connection
            finally:
                with anyio.CancelScope(shield=True):  # it takes no time, and whoever is cancelled leaves nothing behind
                    await connection.close()


class RedisConnection:
    """A Redis in use by one event loop."""

    def __init__(
        self,
        listener: Listener,
        source: Source,
        pool: Callable[..., ConnectionPool],
        prefix: str,
        timeout: float,
        forget_after: int,
    ) -> None:
        self._listener = listener
        database = f"/{source.database}" if source.database else ""
        self._prefix = f"{prefix}{database}".encode()
        self._forget_after = forget_after
        self._subscriptions = Subscriptions(listener)
        self._servers: Servers = (
            OneServer(source.name, pool, self._subscriptions, self._changed, timeout, forget_after)
            if source.nodes is None
            else Cluster(source.name, pool, source.nodes, self._subscriptions, self._changed, timeout, forget_after)
        )
        self._is_open = False
        self._reason = ""
        self._renewing: asyncio.Task[None] | None = None

    async def open(self, *, required: bool) -> None:
        """Connect.

        Raises:
            EngineError: It did not succeed; if it is not required, only what time cannot mend is raised.
        """
        try:
            await self._servers.open()
        except EngineDownError as error:
            if required:
                raise
            self._reason = str(error)
        self._is_open = True
        if self.state is not EngineState.UP:
            self._listener.changed(self.state, self._reason)
        self._renewing = asyncio.create_task(self._renew())

    async def close(self) -> None:
        """Disconnect."""
        self._is_open = False
        await end(self._renewing)
        await self._servers.close()

    async def _renew(self) -> None:
        """Use the numbering of each channel, so that it does not vanish where nobody publishes for long."""
        while True:
            await asyncio.sleep(self._forget_after / 4)
            for keys in list(self._subscriptions.wanted()):
                with suppress(EngineError):
                    await self._servers.run(PLACE, keys, self._forget_after, "")

    def _keys(self, channel: str) -> Keys:
        """The numbering and the stream of a channel; both are in the same slot of a cluster, whatever the channel is called."""
        key = b"%b{:%b}" % (self._prefix, channel.encode())
        return key, key + b"s"

    # See `Connection`

    @property
    def state(self) -> EngineState:
        """See `Connection.state`."""
        return self._servers.state

    async def subscribe(self, channel: str) -> Position:
        """See `Connection.subscribe`."""
        return await self._subscriptions.add(self._servers, channel, self._keys(channel))

    async def unsubscribe(self, channel: str) -> None:
        """See `Connection.unsubscribe`."""
        self._subscriptions.remove(self._servers, self._keys(channel)[0])

    async def publish(self, channel: str, data: bytes, keep: History | None = None) -> Position:
        """See `Connection.publish`."""
        keys = self._keys(channel)
        if keep is None:
            return position(await self._servers.run(self._servers.publish, keys, self._forget_after, data))
        age = 0 if keep.age is None else max(1, int(keep.age * 1000))
        seconds = max(self._forget_after, age // 500 + 1)
        return position(await self._servers.run(self._servers.publish, keys, seconds, data, keep.size, age))

    async def read(self, channel: str, after: Position | None = None, limit: int | None = None) -> Page:
        """See `Connection.read`."""
        epoch, offset = ("", 0) if after is None else after
        return page(await self._servers.run(READ, self._keys(channel), epoch, offset, -1 if limit is None else limit))

    async def put(self, space: str, key: str, value: bytes) -> None:
        """See `Connection.put`."""
        name = self._space(space)
        await self._servers.call(name, "HSET", name, key, value)

    async def remove(self, space: str, key: str) -> bool:
        """See `Connection.remove`."""
        name = self._space(space)
        return bool(await self._servers.call(name, "HDEL", name, key))

    async def entries(self, space: str) -> Mapping[str, bytes]:
        """See `Connection.entries`."""
        name = self._space(space)
        return {key.decode(): value for key, value in (await self._servers.call(name, "HGETALL", name)).items()}

    async def renew(self, node: str, seconds: float) -> None:
        """See `Connection.renew`."""
        await self._servers.run(RENEW, (self._prefix + b"/alive",), node, int(seconds * 1000))

    async def alive(self) -> frozenset[str]:
        """See `Connection.alive`."""
        return frozenset(node.decode() for node in await self._servers.run(ALIVE, (self._prefix + b"/alive",)))

    def _space(self, space: str) -> bytes:
        return b"%b/space/%b" % (self._prefix, space.encode())

    def _changed(self, state: EngineState, reason: str) -> None:
        self._reason = reason
        if self._is_open:
            self._listener.changed(state, reason)
