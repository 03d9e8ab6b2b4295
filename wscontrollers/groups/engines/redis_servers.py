"""The servers of an engine: what it asks them, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...exceptions import EngineError
from .engine import EngineState
from .redis_calls import Calls, Word
from .redis_faults import telling
from .redis_greeting import Facts, require_master
from .redis_link import Link
from .redis_scripts import PUBLISH, Script
from .redis_subscriptions import Keys, Subscriptions
from .redis_wire import Verbs

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool


Changed = Callable[[EngineState, str], None]
"""Takes another state, and why."""


class Servers(Protocol):
    """The servers of an engine.

    Attributes:
        state: How they are.
        publish: The script that publishes.
    """

    state: EngineState
    publish: Script

    async def open(self) -> None:
        """Connect.

        Raises:
            EngineError: It did not succeed; it is tried again all the same.
        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def run(self, script: Script, keys: tuple[bytes, ...], *arguments: Word) -> Any:
        """Run a script where its keys are; see `Calls.run`."""
        ...

    async def call(self, key: bytes, *words: Word) -> Any:
        """Send a command to where a key is; see `Calls.call`."""
        ...

    async def subscribe(self, keys: Keys) -> bytes:
        """Subscribe to a channel; see `Link.subscribe`."""
        ...

    def unsubscribe(self, key: bytes) -> None:
        """End a subscription."""
        ...


class Server:
    """One server: its calls and its link.

    Args:
        name: Where it is, for error texts.
        pool: Where its connections come from.
        link: What it tells over, not started.
        timeout: Seconds after which an answer does not come any more.
    """

    def __init__(self, name: str, pool: ConnectionPool, link: Link, timeout: float) -> None:
        self.name = name
        self.link = link
        self.calls = Calls(pool, timeout, lambda: link.drop(ConnectionError("it became a replica")))

    def start(self) -> None:
        """Begin to connect."""
        self.link.start()
        self.calls.start()

    async def stop(self) -> None:
        """End it."""
        await self.link.stop()
        await self.calls.stop()


class OneServer:
    """A single server, or whichever is the master of a Sentinel's service."""

    publish = PUBLISH

    def __init__(
        self,
        name: str,
        pool: Callable[[], ConnectionPool],
        subscriptions: Subscriptions,
        changed: Changed,
        timeout: float,
        seconds: int,
    ) -> None:
        self.state = EngineState.UP
        self._subscriptions = subscriptions
        self._changed = changed
        self._timeout = timeout
        made_by = pool()
        link = Link(name, made_by.make_connection, _PLAIN, subscriptions, self, timeout, seconds)
        self._server = Server(name, made_by, link, timeout)

    async def open(self) -> None:
        """See `Servers.open`."""
        self._server.start()
        await self._server.link.settled()
        if self._server.link.failure is not None:
            raise self._server.link.failure

    async def close(self) -> None:
        """See `Servers.close`."""
        await self._server.stop()

    async def run(self, script: Script, keys: tuple[bytes, ...], *arguments: Word) -> Any:
        """See `Servers.run`."""
        with self._telling():
            return await self._server.calls.run(script, keys, *arguments)

    async def call(self, key: bytes, *words: Word) -> Any:
        """See `Servers.call`."""
        with self._telling():
            return await self._server.calls.call(*words)

    async def subscribe(self, keys: Keys) -> bytes:
        """See `Servers.subscribe`."""
        with self._telling():
            return await self._server.link.subscribe(keys)

    def unsubscribe(self, key: bytes) -> None:
        """See `Servers.unsubscribe`."""
        self._server.link.unsubscribe(key)

    def _telling(self) -> AbstractContextManager[None]:
        return telling(self._server.name, self._timeout)

    # What the link tells

    def check(self, name: str, facts: Facts) -> None:
        """See `LinkOwner.check`."""
        require_master(name, facts)
        if facts.is_cluster:
            raise EngineError(
                f"{name}: it is one of a cluster. Fix: use the scheme redis+cluster://, or RedisEngine(..., cluster=True)."
            )
        if facts.version and facts.version < (6, 2):
            version = ".".join(map(str, facts.version))
            raise EngineError(f"{name}: it is Redis {version}. Fix: use Redis 6.2 or newer, or Valkey.")

    def wanted(self, link: Link) -> Iterable[Keys]:
        """See `LinkOwner.wanted`."""
        return self._subscriptions.wanted()

    def restored(self, link: Link) -> None:
        """See `LinkOwner.restored`."""
        self._change(EngineState.UP, f"{link.name}: connected")

    def lost(self, link: Link, reason: str) -> None:
        """See `LinkOwner.lost`."""
        self._change(EngineState.DOWN, reason)

    def moved(self, link: Link) -> None:
        """See `LinkOwner.moved`."""

    def _change(self, state: EngineState, reason: str) -> None:
        if state is not self.state:
            self.state = state
            self._changed(state, reason)


_PLAIN: Final = Verbs("SUBSCRIBE", "UNSUBSCRIBE")
