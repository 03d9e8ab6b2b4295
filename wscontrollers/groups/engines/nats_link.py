"""A connection to NATS that comes back by itself, with its subscriptions and with what is known of the numbering."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

from ...exceptions import EngineDownError, EngineError
from ...logs import logger_of
from .engine import Arrival, EngineState, Listener, Position
from .nats_answers import GoneError, NobodyError
from .nats_look_up import Top, tops_of
from .nats_stream import LEAST_AGE, Streams
from .nats_subscription import Subscription
from .nats_wire import Wire

_PULSE: Final = 2.0
"""Seconds between two looks at a server that says nothing."""
_WAITS: Final = (0.05, 1.0)
"""Seconds before another try to connect: at first, and at most."""
_AT_ONCE: Final = 200
"""How many channels are asked for in one request; the server has a limit of 1,024 answers."""
_OLDEST: Final = (2, 11)
"""The oldest server that can look up several messages at once, and forget single ones by their age."""

Found = TypeVar("Found")


class _Place(NamedTuple):
    """Where a subscription goes on, and the number of the channel's stub; -1 where it has none."""

    position: Position
    stub: int


_log = logger_of("wscontrollers.groups")


class Link:
    """The connection of one event loop.

    Attributes:
        state: How it is.
        streams: What is known of the streams.
        subscriptions: The channels that are wanted.

    Args:
        servers: Where it may connect to.
        options: For nats-py.
        timeout: Seconds that each request may take.
        streams: The streams, unseen yet.
        listener: Whom to tell.
    """

    def __init__(
        self, servers: Sequence[str], options: dict[str, Any], timeout: float, streams: Streams, listener: Listener
    ) -> None:
        self.state = EngineState.DOWN
        self.streams = streams
        self.subscriptions: dict[str, Subscription] = {}
        self._servers = list(servers)
        self._options = options
        self._timeout = timeout
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._uneasy = asyncio.Event()
        self._mending = asyncio.Lock()
        self._wire: Wire | None = None
        self._task: asyncio.Task[None] | None = None
        self._reason = "it is not connected yet"
        self._good_at = self._loop.time()

    async def open(self, *, required: bool) -> None:
        """Connect, and see to it from then on.

        Args:
            required: Whether to raise if nobody is there; else it is tried until somebody is.

        Raises:
            EngineDownError: Nobody is there.
            EngineError: What is there is of no use.
        """
        try:
            self._wire = await self._establish()
        except EngineDownError as error:
            if required:
                raise
            self._reason = str(error)
            self._listener.changed(EngineState.DOWN, self._reason)
        else:
            self.state = EngineState.UP
        self._task = asyncio.create_task(self._keep(), name="wscontrollers: nats")

    async def close(self) -> None:
        """End it; nothing is told any more."""
        while self._task is not None and not self._task.done():
            # More than once: `asyncio.wait_for` of Python 3.11, which nats-py uses, loses a cancellation now and then.
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_WAITS[0])
        for subscription in self.subscriptions.values():
            subscription.detach()
        if self._wire is not None:
            await self._wire.close()

    async def using(self, work: Callable[[Wire], Awaitable[Found]]) -> Found:
        """Do something with the connection; a second time, if the streams were not there and could be made.

        Raises:
            EngineDownError: There is none, or no answer.
        """
        numbering, wire = self.streams.numbering, self._wired()
        try:
            try:
                return await work(wire)
            except NobodyError:
                await self._mend(wire, numbering)
                return await work(wire)
        except EngineDownError as error:
            raise EngineDownError(
                f"NatsEngine: {error}; what was asked for may be done or not. Fix: see whether the server is well, or try again."
            ) from error

    async def subscribe(self, channel: str) -> Position:
        """See `Connection.subscribe`."""
        subscription = self.subscriptions.get(channel)
        if subscription is None:
            subscription = Subscription(channel, self._arrived, self._noticed)
            self.subscriptions[channel] = subscription
        if subscription.is_live and subscription.position is not None:
            return subscription.position

        async def confirm(wire: Wire) -> Position:
            if self.subscriptions.get(channel) is subscription:  # it may have been unsubscribed meanwhile
                await subscription.attach(wire, self.streams.subjects.subscription(channel))
            top = (await self.tops(wire, [channel]))[channel]
            position = Position(self.streams.numbering, top.offset)
            if subscription.is_on(wire) and not subscription.is_live:
                subscription.begin(position, top.stub)
            return subscription.position or position

        subscription.waiting += 1
        try:
            return await self.using(confirm)
        finally:
            subscription.waiting -= 1
            if not subscription.is_live:
                self._uneasy.set()

    async def unsubscribe(self, channel: str) -> None:
        """See `Connection.unsubscribe`."""
        subscription = self.subscriptions.pop(channel, None)
        if subscription is not None:
            await subscription.end()

    async def tops(self, wire: Wire, channels: Sequence[str]) -> dict[str, Top]:
        """Where channels stand."""
        return await tops_of(wire, self.streams, channels)

    def _wired(self) -> Wire:
        if self._wire is None or self.state is EngineState.DOWN:
            raise EngineDownError(f"NatsEngine: it is down: {self._reason}. Fix: wait until it is back.")
        return self._wire

    def _arrived(self, arrival: Arrival) -> None:
        self._listener.arrived(arrival)

    def _noticed(self, place: Position, is_strange: bool) -> None:
        if place.epoch == self.streams.numbering:
            self.streams.reached(place.offset + 1)
        if is_strange:
            self._uneasy.set()

    # What the task does that keeps it.

    async def _keep(self) -> None:
        wait = _WAITS[0]
        while True:
            if self._wire is not None:
                await self._watch(self._wire)
                wait = _WAITS[0]
            try:
                wire = await self._establish()
                try:
                    places = await self._places(wire)
                except BaseException:
                    await wire.close(is_broken=True)
                    raise
            except Exception as error:
                _report(error)
                self._reason = str(error)
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - so that not all come back at once
                wait = min(2 * wait, _WAITS[1])
            else:
                self._wire, self.state, self._reason = wire, EngineState.UP, ""
                self._good_at = self._loop.time()
                self._listener.changed(EngineState.UP, "the server answers")
                self._begin(wire, places)

    async def _watch(self, wire: Wire) -> None:
        """Return when the connection is lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PULSE):
                    await self._uneasy.wait()
            self._uneasy.clear()
            try:
                await self._look(wire)
            except Exception as error:
                _report(error)
                self._wire, self.state, self._reason = None, EngineState.DOWN, str(error)
                for subscription in self.subscriptions.values():
                    subscription.detach()
                self._listener.changed(EngineState.DOWN, self._reason)
                await wire.close(is_broken=True)
                return

    async def _look(self, wire: Wire) -> None:
        if not await self.streams.look(wire):
            await self._mend(wire, self.streams.numbering)
        self._good_at = self._loop.time()
        await self._resume(wire, [each for each in self.subscriptions.values() if not each.is_live and not each.waiting])

    async def _mend(self, wire: Wire, numbering: str) -> None:
        """Make streams that are gone, and tell of each subscription where it stands in them."""
        async with self._mending:
            if numbering == self.streams.numbering and await self.streams.ensure(wire):
                subscriptions = list(self.subscriptions.values())
                for subscription in subscriptions:
                    subscription.pause()
                await self._resume(wire, subscriptions)

    async def _establish(self) -> Wire:
        """Connect, and make the streams where they are not there.

        Raises:
            EngineDownError: No server answers.
            EngineError: What answers is of no use.
        """
        wire = Wire(self._timeout, self._uneasy.set)
        await wire.open(self._servers, self._options)
        try:
            if wire.version < _OLDEST:
                version = ".".join(map(str, wire.version))
                raise EngineError(f"NatsEngine: the server's version is {version}. Fix: run nats-server 2.11 or newer.")
            try:
                await self.streams.ensure(wire)
            except GoneError:
                raise
            except NobodyError as error:
                raise EngineError(
                    "NatsEngine: the server has no JetStream, or not for this account."
                    " Fix: start it with `nats-server -js`, or with `jetstream {}` in its configuration."
                ) from error
        except BaseException:
            await wire.close(is_broken=True)
            raise
        self._servers += [server for server in wire.discovered if server not in self._servers]
        return wire

    async def _places(self, wire: Wire) -> dict[Subscription, _Place]:
        """Where each subscription stands on a new connection, also those that come meanwhile."""
        found: dict[Subscription, _Place] = {}
        while waiting := [each for each in self.subscriptions.values() if each not in found]:
            found |= await self._located(wire, waiting[:_AT_ONCE])
        return found

    async def _resume(self, wire: Wire, subscriptions: Sequence[Subscription]) -> None:
        for first in range(0, len(subscriptions), _AT_ONCE):
            self._begin(wire, await self._located(wire, subscriptions[first : first + _AT_ONCE]))

    async def _located(self, wire: Wire, subscriptions: Sequence[Subscription]) -> dict[Subscription, _Place]:
        for subscription in subscriptions:
            await subscription.attach(wire, self.streams.subjects.subscription(subscription.channel))
        tops = await self.tops(wire, [each.channel for each in subscriptions])
        places = {each: tops[each.channel] for each in subscriptions}
        return {each: _Place(self._place(each.position, top), top.stub) for each, top in places.items()}

    def _place(self, known: Position | None, top: Top) -> Position:
        """From where on a subscription misses nothing, as far behind what it had as something may be lost."""
        here = Position(self.streams.numbering, top.offset)
        if known is None or known.epoch != here.epoch or here.offset <= known.offset:
            return known if known is not None and known.epoch == here.epoch else here
        is_empty = top.kept is None and top.plain < 0
        if is_empty and self._loop.time() - self._good_at < LEAST_AGE:
            # `here` is where the whole stream stands: what came of this channel would still be there.
            return known
        return here

    def _begin(self, wire: Wire, places: dict[Subscription, _Place]) -> None:
        for subscription, (place, stub) in places.items():
            is_wanted = self.subscriptions.get(subscription.channel) is subscription
            if is_wanted and subscription.is_on(wire) and not subscription.is_live:
                self._listener.resumed(subscription.channel, place)
                subscription.begin(place, stub)


def _report(error: Exception) -> None:
    """Log what should not have happened; whatever it is, the connection comes back."""
    if not isinstance(error, EngineError):
        _log.error("nats: the connection is made anew", exc_info=error)
