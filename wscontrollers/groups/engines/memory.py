"""Groups within one process."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from secrets import token_hex
from threading import Lock

from ...session.clock import MACHINE, Clock
from .engine import Arrival, Connection, EngineState, History, Listener, Page, Position
from .posting import Post, poster

_SWEEP = 1024
"""After how many messages channels that nobody needs any more are looked for."""


class Channel:
    """One channel: its numbering, what is kept of it, and who has it."""

    __slots__ = ("_age", "_kept", "_until", "connections", "position")

    def __init__(self, epoch: str) -> None:
        self.position = Position(epoch, 0)
        self.connections: dict[MemoryConnection, None] = {}
        self._kept: deque[tuple[int, bytes, float]] = deque()
        self._age: float | None = 0.0
        self._until = 0.0

    def add(self, data: bytes, keep: History | None, now: float) -> None:
        """Number a message, and keep it if asked to."""
        self.position = Position(self.position.epoch, self.position.offset + 1)
        if keep is not None:
            self._age = keep.age
            self._kept.append((self.position.offset, data, now))
            while len(self._kept) > keep.size:
                self._kept.popleft()
            self._until = now if keep.age is None else now + keep.age
            self._expire(now)

    def page(self, after: Position | None, limit: int | None, now: float) -> Page:
        """See `Connection.read`."""
        self._expire(now)
        epoch, top = self.position
        if after is None:
            entries = [(offset, data) for offset, data, _ in self._kept]
            return Page(entries[:limit], self.position, True)
        if after.epoch != epoch or after.offset > top:
            return Page((), self.position, False)
        entries = [(offset, data) for offset, data, _ in self._kept if offset > after.offset]
        # Kept messages lie side by side, except where some were published without being kept.
        is_complete = len(entries) == top - after.offset
        return Page(entries[:limit], self.position, is_complete)

    def is_needed(self, now: float) -> bool:
        """Whether somebody has it, or something of it is kept."""
        return bool(self.connections) or (bool(self._kept) and (self._age is None or now < self._until))

    def _expire(self, now: float) -> None:
        while self._kept and self._age is not None and now - self._kept[0][2] >= self._age:
            self._kept.popleft()


class MemoryEngine:
    """Carries groups between the sessions of one process, in whatever event loops and threads they are; the default.

    Args:
        clock: The time, for the age of what is kept.
    """

    name = "memory"
    is_shared = False
    is_dense = True

    def __init__(self, *, clock: Clock = MACHINE) -> None:
        self._clock = clock
        self._lock = Lock()
        self._channels: dict[str, Channel] = {}
        self._spaces: dict[str, dict[str, bytes]] = {}
        self._nodes: dict[str, float] = {}
        self._published = 0
        self._epoch = token_hex(4)
        """Of channels that begin now: another one, as soon as a channel is forgotten to which something was published."""

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncGenerator[Connection, None]:
        """See `Engine.connect`."""
        self._disconnect_ended()
        connection = MemoryConnection(self, listener)
        try:
            yield connection
        finally:
            self.disconnect(connection)

    # What connections ask. The lock is held for a few microseconds, and never while anything is delivered.

    def subscribe(self, channel: str, connection: MemoryConnection) -> Position:
        """Let a connection have a channel."""
        with self._lock:
            found = self._channels.setdefault(channel, Channel(self._epoch))
            found.connections[connection] = None
            return found.position

    def unsubscribe(self, channel: str, connection: MemoryConnection) -> None:
        """Let it have a channel no more."""
        with self._lock:
            found = self._channels.get(channel)
            if found is not None:
                found.connections.pop(connection, None)
                self._drop_unneeded(channel, found)

    def disconnect(self, connection: MemoryConnection) -> None:
        """Let it have nothing any more."""
        with self._lock:
            for name, channel in list(self._channels.items()):
                if channel.connections.pop(connection, connection) is None:
                    self._drop_unneeded(name, channel)

    def _disconnect_ended(self) -> None:
        """Let go of connections whose event loop was closed under them: nobody else does."""
        with self._lock:
            found = {connection: None for channel in self._channels.values() for connection in channel.connections}
        for connection in found:
            if not connection.is_alive:
                self.disconnect(connection)

    def publish(self, channel: str, data: bytes, keep: History | None) -> tuple[Position, list[MemoryConnection]]:
        """Number and keep a message, and hand it to the connections; they are returned."""
        with self._lock:
            found = self._channels.get(channel)
            if found is None:
                found = self._channels[channel] = Channel(self._epoch)
            previous = found.position.offset
            found.add(data, keep, 0.0 if keep is None else self._clock.now())
            arrival = Arrival(channel, data, found.position, previous)
            connections = list(found.connections)
            for connection in connections:
                connection.pending.append(arrival)
            self._published += 1
            if not self._published % _SWEEP:
                for name, each in list(self._channels.items()):
                    self._drop_unneeded(name, each)
            return found.position, connections

    def read(self, channel: str, after: Position | None, limit: int | None) -> Page:
        """A part of a channel's history."""
        with self._lock:
            return self._channels.get(channel, Channel(self._epoch)).page(after, limit, self._clock.now())

    def put(self, space: str, key: str, value: bytes) -> None:
        """Note a value."""
        with self._lock:
            self._spaces.setdefault(space, {})[key] = value

    def remove(self, space: str, key: str) -> bool:
        """Forget a key; whether it was there."""
        with self._lock:
            found = self._spaces.get(space, {})
            was_there = found.pop(key, None) is not None
            if not found:
                self._spaces.pop(space, None)
            return was_there

    def entries(self, space: str) -> Mapping[str, bytes]:
        """A copy of a space."""
        with self._lock:
            return dict(self._spaces.get(space, {}))

    def renew(self, node: str, seconds: float) -> None:
        """Note that a process is alive."""
        with self._lock:
            self._nodes[node] = self._clock.now() + seconds

    def alive(self) -> frozenset[str]:
        """The processes that are alive."""
        with self._lock:
            now = self._clock.now()
            self._nodes = {node: until for node, until in self._nodes.items() if until > now}
            return frozenset(self._nodes)

    def _drop_unneeded(self, name: str, channel: Channel) -> None:
        if not channel.is_needed(self._clock.now()):
            del self._channels[name]
            if channel.position.offset:
                self._epoch = token_hex(4)


class MemoryConnection:
    """A memory engine in use by one event loop.

    Attributes:
        pending: What was published and is not delivered yet.
    """

    state = EngineState.UP

    def __init__(self, engine: MemoryEngine, listener: Listener) -> None:
        self._engine = engine
        self._listener = listener
        self._post: Post = poster()
        self._is_draining = False
        self.pending: deque[Arrival] = deque()

    async def subscribe(self, channel: str) -> Position:
        """See `Connection.subscribe`."""
        return self._engine.subscribe(channel, self)

    async def unsubscribe(self, channel: str) -> None:
        """See `Connection.unsubscribe`."""
        self._engine.unsubscribe(channel, self)

    async def publish(self, channel: str, data: bytes, keep: History | None = None) -> Position:
        """See `Connection.publish`; what is subscribed to in the same event loop is delivered on return."""
        position, connections = self._engine.publish(channel, data, keep)
        for connection in connections:
            if connection is self:
                self._drain()
            else:
                connection.deliver()
        return position

    async def read(self, channel: str, after: Position | None = None, limit: int | None = None) -> Page:
        """See `Connection.read`."""
        return self._engine.read(channel, after, limit)

    async def put(self, space: str, key: str, value: bytes) -> None:
        """See `Connection.put`."""
        self._engine.put(space, key, value)

    async def remove(self, space: str, key: str) -> bool:
        """See `Connection.remove`."""
        return self._engine.remove(space, key)

    async def entries(self, space: str) -> Mapping[str, bytes]:
        """See `Connection.entries`."""
        return self._engine.entries(space)

    async def renew(self, node: str, seconds: float) -> None:
        """See `Connection.renew`."""
        self._engine.renew(node, seconds)

    async def alive(self) -> frozenset[str]:
        """See `Connection.alive`."""
        return self._engine.alive()

    @property
    def is_alive(self) -> bool:
        """Whether its event loop has not ended."""
        return self._post(_nothing)

    def deliver(self) -> None:
        """Deliver what is pending, at once in this connection's own event loop, else as soon as that gets to it."""
        if not self._post(self._drain):
            self._engine.disconnect(self)
            self.pending.clear()

    def _drain(self) -> None:
        if self._is_draining:
            return
        self._is_draining = True
        try:
            while self.pending:
                self._listener.arrived(self.pending.popleft())
        finally:
            self._is_draining = False


def _nothing() -> None:
    pass
