"""What an engine tells of the groups of one event loop: what comes, where it goes on, and how it is."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio

from ..exceptions import EngineDownError
from ..logs import logger_of
from ..messages import Gap
from .catching_up import heal, lose, shortened
from .engines.engine import Arrival, Connection, EngineState, Position
from .names import EVERYBODY, group_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .envelope import Envelope
    from .local import LocalGroup
    from .losses import Losses
    from .moving import Mover
    from .orders import Orders
    from .presence.node import Node

logger = logger_of("wscontrollers.groups")

AGAIN = 1.0
"""Seconds after which what an engine did not answer is asked again."""


class Hearing:
    """The part of a hub that hears the engine, and sees to what was missed; `Hub` is the whole of it.

    Attributes:
        start: Starts a task that belongs to no session.
        node: Who is in the groups with presence.
        orders: What all processes are asked to do.
        mover: Gives sessions that can be resumed to other processes, and takes theirs.
        state: How the engine is.
    """

    start: Callable[[Callable[[], Awaitable[None]]], None]
    node: Node
    orders: Orders
    mover: Mover
    _changed: Callable[[EngineState, str], None]
    _connection: Connection | None
    _groups: dict[str, LocalGroup]
    _losses: Losses
    _own: tuple[bytes, Envelope] | None

    def arrived(self, arrival: Arrival) -> None:
        """See `Listener.arrived`."""
        name = group_of(arrival.channel)
        if name is None:
            if arrival.channel == EVERYBODY:
                self.orders.arrived(arrival)
            elif not self.node.arrived(arrival):
                self.mover.arrived(arrival)
            return
        group = self._hears(name, arrival)
        if group is None:
            return
        position = group.position
        if position is None or (arrival.position.epoch == position.epoch and arrival.previous == position.offset):
            own = self._own
            envelope = own[1] if own is not None and own[0] is arrival.data else None  # an engine within the process hands it on
            group.deliver(arrival.data, arrival.position, envelope)
        elif arrival.position.epoch != position.epoch or arrival.previous > position.offset:
            group.pending = deque([arrival])
            self._heal(group, Position(arrival.position.epoch, arrival.previous))

    def resumed(self, channel: str, position: Position) -> None:
        """See `Listener.resumed`."""
        if channel == EVERYBODY:
            self.orders.resumed(position)
            return
        if self.node.resumed(channel, position):
            return
        name = group_of(channel)
        group = None if name is None else self._hears(name, position)
        if group is None:
            return
        seen = group.position
        if seen is None:
            group.position, group.carrier = position, self._connection
            if group.members:  # they joined while the engine was away
                group.tell_gap(Gap(0, "engine", group.name))
        elif seen.epoch != position.epoch or seen.offset < position.offset:
            group.pending = deque()
            self._heal(group, position)

    def _hears(self, name: str, what: Arrival | Position) -> LocalGroup | None:
        """The group that is told something now; None if there is none here, or if it waits until a hole is filled."""
        group = self._groups.get(name)
        if group is None or group.pending is None:
            return group
        group.pending.append(what)
        return None

    def changed(self, state: EngineState, reason: str) -> None:
        """See `Listener.changed`."""
        self._changed(state, reason)
        if state is EngineState.UP:
            self.node.wake()

    @property
    def state(self) -> EngineState:
        """How the engine is."""
        return EngineState.DOWN if self._connection is None else self._connection.state

    # What was missed

    def _heal(self, group: LocalGroup, target: Position) -> None:
        """Fetch what a group missed, and then what came meanwhile, which waits."""
        pending = group.pending
        assert pending is not None

        async def fetch() -> None:
            nonlocal target
            while group.pending is pending:
                connection = self._connection
                if connection is None:
                    group.pending = None  # closed: when it is opened again it is seen what is missing
                    return
                try:
                    lost = await heal(group, connection, target)
                except EngineDownError as error:
                    self._losses.waits(error)
                    target = shortened(pending, target)
                    await self._pause()
                    continue
                except Exception:
                    logger.exception("group %r: what it missed cannot be read", group.name)
                    lost = lose(group, target) if group.pending is pending else None
                if lost is not None:
                    self._losses.lost(group.name, lost)
                if group.pending is pending:
                    self._catch_up(group)
                return

        self.start(fetch)

    async def _pause(self) -> None:
        """Wait until it may be worth to ask the engine again."""
        while True:
            await anyio.sleep(AGAIN)
            if self._connection is None or self.state is not EngineState.DOWN:
                return

    def _catch_up(self, group: LocalGroup) -> None:
        """Hand over what came while something before it was fetched."""
        pending, group.pending = group.pending, None
        for each in pending or ():
            if isinstance(each, Position):
                self.resumed(group.channel, each)
            else:
                self.arrived(each)
