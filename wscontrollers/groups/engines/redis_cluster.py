"""A cluster of Redis servers: each channel is in a slot, each slot has a master, and masters change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from redis.crc import key_slot
from redis.exceptions import MovedError, RedisClusterException, RedisError

from ...exceptions import EngineDownError, EngineError
from ...logs import logger_of
from .engine import EngineState
from .redis_calls import Word, end
from .redis_faults import telling, told
from .redis_greeting import Facts, greeted, require_master
from .redis_link import Link
from .redis_scripts import PUBLISH_SHARDED, Script
from .redis_servers import Changed, Server
from .redis_subscriptions import Keys, Subscriptions
from .redis_wire import Verbs

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool
    from redis.asyncio.cluster import NodesManager

    from .redis_sources import Address

logger = logger_of("wscontrollers.groups")

_SLOTS = 16384
_AGAIN = 0.25
"""Seconds between two looks at a cluster that is not whole."""


class Cluster:
    """The masters of a cluster.

    Args:
        name: For error texts.
        pool: Makes a pool of connections to a host and a port.
        find: Makes what finds the nodes, from those that are known.
        subscriptions: What messages are told to.
        changed: Takes another state.
        timeout: Seconds after which an answer does not come any more.
        seconds: How long the numbering of a channel lives without being used.
    """

    publish = PUBLISH_SHARDED

    def __init__(
        self,
        name: str,
        pool: Callable[[str, int], ConnectionPool],
        find: Callable[[Iterable[Address]], NodesManager],
        subscriptions: Subscriptions,
        changed: Changed,
        timeout: float,
        seconds: int,
    ) -> None:
        self.state = EngineState.UP
        self._name = name
        self._pool = pool
        self._find = find
        self._nodes: Any = find(())
        self._owners: dict[int, list[Any]] = {}
        self._subscriptions = subscriptions
        self._changed = changed
        self._timeout = timeout
        self._seconds = seconds
        self._servers: dict[str, Server] = {}
        self._up: set[Link] = set()
        self._homes: dict[bytes, Server] = {}
        self._stale = asyncio.Event()
        self._looked = asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None

    # Its life

    async def open(self) -> None:
        """See `Servers.open`."""
        self._looking = asyncio.create_task(self._look_again())
        try:
            await self._look()
            servers = list(self._servers.values())
            for server in servers:
                await server.link.settled()
            failures = [server.link.failure for server in servers if server.link.failure is not None]
            if len(failures) == len(servers):
                raise failures[0]
        except EngineError as error:
            self._stale.set()
            self.state = EngineState.DOWN
            raise await self._trouble() or error from None

    async def close(self) -> None:
        """See `Servers.close`."""
        await end(self._looking)
        for server in self._servers.values():
            await server.stop()
        await self._forget_nodes()

    async def _look_again(self) -> None:
        """Look at the cluster whenever something of it moved, and until it is whole."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._look()
            except EngineError:
                self._stale.set()  # nobody can be asked; the links have told why
            except Exception:
                logger.exception("engine redis: looking at the cluster failed")
                self._stale.set()
            async with self._looked:
                self._looked.notify_all()
            if self.state is not EngineState.UP:
                self._stale.set()
            await asyncio.sleep(_AGAIN)

    # Who has what

    async def _look(self) -> None:
        """Ask who has which slots, and come and go accordingly.

        Raises:
            EngineError: Nobody answers.
        """
        try:
            await self._nodes.initialize()
        except (RedisClusterException, RedisError, OSError, IndexError) as error:  # IndexError: nobody has a slot
            # Those that were named may be back, perhaps at other addresses; those that were found are asked too.
            await self._forget_nodes()
            self._nodes = self._find((node.host, node.port) for owners in self._owners.values() for node in owners)
            raise told(self._name, ConnectionError(str(error)), self._timeout) from None
        self._owners = self._nodes.slots_cache
        masters = {owners[0].name: owners[0] for owners in self._owners.values()}
        for gone in self._servers.keys() - masters.keys():
            server = self._servers.pop(gone)
            self._up.discard(server.link)
            await server.stop()
        for name in masters.keys() - self._servers.keys():
            self._servers[name] = self._server_at(masters[name].host, masters[name].port)
        self._settle_in()
        self._tell("its nodes changed")

    async def _forget_nodes(self) -> None:
        for kind in ("nodes_cache", "startup_nodes"):
            with suppress(RedisError, OSError):
                await self._nodes.aclose(kind)

    async def _trouble(self) -> EngineError | None:
        """What the nodes that are known say is wrong with them."""
        found: EngineError | None = None
        for node in list(self._nodes.startup_nodes.values()):
            pool: Any = self._pool(node.host, node.port)
            name, connection = f"redis at {node.host}:{node.port}", pool.make_connection()
            try:
                with telling(name, self._timeout):
                    self.check(name, await greeted(connection, self._timeout))
            except EngineError as error:
                if not isinstance(error, EngineDownError):
                    return error
                found = found or error
            finally:
                await connection.disconnect()
        return found

    def _server_at(self, host: str, port: int) -> Server:
        name, pool = f"redis at {host}:{port}", self._pool(host, port)
        link = Link(name, pool.make_connection, _SHARDED, self._subscriptions, self, self._timeout, self._seconds)
        server = Server(name, pool, link, self._timeout)
        server.start()
        return server

    def _settle_in(self) -> None:
        """Subscribe to what has another master now, where it is; a link that is not up does so when it is."""
        for keys in self._subscriptions.wanted():
            server = self._home(keys[0])
            before = self._homes.get(keys[0])
            if server is None or server is before:
                continue
            if server.link in self._up:
                self._homes[keys[0]] = server
                server.link.ask(keys, lambda place, key=keys[0], link=server.link: self._answered(link, key, place))  # type: ignore[misc]

    def _answered(self, link: Link, key: bytes, place: bytes | Exception) -> None:
        if isinstance(place, Exception):
            link.drop(place)
        else:
            self._subscriptions.resumed(key, place)

    def _home(self, key: bytes) -> Server | None:
        owners = self._owners.get(key_slot(key))
        return self._servers.get(owners[0].name) if owners else None

    # Calls

    async def run(self, script: Script, keys: tuple[bytes, ...], *arguments: Word) -> Any:
        """See `Servers.run`."""
        return await self._follow(keys[0], lambda server: server.calls.run(script, keys, *arguments))

    async def call(self, key: bytes, *words: Word) -> Any:
        """See `Servers.call`."""
        return await self._follow(key, lambda server: server.calls.call(*words))

    async def subscribe(self, keys: Keys) -> bytes:
        """See `Servers.subscribe`."""

        async def subscribe(server: Server) -> bytes:
            place = await server.link.subscribe(keys)
            self._homes[keys[0]] = server
            return place

        place: bytes = await self._follow(keys[0], subscribe)
        return place

    def unsubscribe(self, key: bytes) -> None:
        """See `Servers.unsubscribe`."""
        self._homes.pop(key, None)
        server = self._home(key)
        if server is not None:
            server.link.unsubscribe(key)

    async def _follow(self, key: bytes, call: Callable[[Server], Awaitable[Any]]) -> Any:
        """Call the master of a key; one that is told that the key moved did nothing, so that it is tried where it is now."""
        with telling(self._name, self._timeout):
            async with asyncio.timeout(self._timeout):
                while True:
                    server = self._home(key)
                    if server is None:
                        raise EngineDownError(f"{self._name}: nobody has slot {key_slot(key)}. Fix: see what CLUSTER INFO says.")
                    try:
                        return await call(server)
                    except MovedError:
                        self._stale.set()
                    except (RedisError, OSError) as error:
                        raise told(server.name, error, self._timeout) from None
                    async with self._looked:
                        await self._looked.wait()

    # What the links tell

    def check(self, name: str, facts: Facts) -> None:
        """See `LinkOwner.check`."""
        if not facts.is_cluster:
            raise EngineError(f"{name}: it is no cluster. Fix: use the scheme redis://, or leave cluster=True out.")
        if facts.version and facts.version < (7,):
            version = ".".join(map(str, facts.version))
            raise EngineError(
                f"{name}: Redis {version} has no sharded pub/sub, which a cluster needs. Fix: use Redis 7 or newer, or "
                "Valkey, or a single server."
            )
        require_master(name, facts)

    def wanted(self, link: Link) -> Iterable[Keys]:
        """See `LinkOwner.wanted`."""
        for keys in self._subscriptions.wanted():
            server = self._home(keys[0])
            if server is not None and server.link is link:
                self._homes[keys[0]] = server
                yield keys

    def restored(self, link: Link) -> None:
        """See `LinkOwner.restored`."""
        self._up.add(link)
        self._settle_in()
        self._tell(f"{link.name}: connected")

    def lost(self, link: Link, reason: str) -> None:
        """See `LinkOwner.lost`."""
        self._up.discard(link)
        self._homes = {key: server for key, server in self._homes.items() if server.link is not link}
        self._stale.set()
        self._tell(reason)

    def moved(self, link: Link) -> None:
        """See `LinkOwner.moved`."""
        self._stale.set()

    def _tell(self, reason: str) -> None:
        is_whole = len(self._owners) == _SLOTS and self._up.issuperset(each.link for each in self._servers.values())
        state = EngineState.UP if is_whole else EngineState.DEGRADED if self._up else EngineState.DOWN
        if state is not self.state:
            self.state = state
            self._changed(state, reason)


_SHARDED: Final = Verbs("SSUBSCRIBE", "SUNSUBSCRIBE")
