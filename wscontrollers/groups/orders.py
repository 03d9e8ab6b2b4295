"""What all processes are asked to do, and what a process makes good for that was cut off meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint

from ..exceptions import EngineDownError
from ..logs import logger_of
from ..session.finding import find_session
from .control import Disconnect, order_in
from .engines.engine import Arrival, Connection, History, Position
from .names import EVERYBODY, SESSION, USER

if TYPE_CHECKING:
    from ..session.life import Life
    from .hub import Hub

logger = logger_of("wscontrollers.groups")

KEPT: Final = History(size=1000, age=600.0)
"""How many orders are kept, and for how long: as long as a process may be cut off from the engine and still obey them."""

AGAIN: Final = 1.0
"""Seconds after which what the engine did not answer is asked again."""


class Orders:
    """Hears the orders on the channel that all processes have, and obeys them for the sessions of one event loop.

    They are numbered and kept by the engine. When some were missed they are read, and obeyed for the sessions that began before
    each was given: who came later, while this process could not know of it, is not meant.

    Args:
        hub: The groups of the event loop.
    """

    __slots__ = ("_hub", "_position")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._position: Position | None = None

    async def begin(self, connection: Connection) -> None:
        """Hear them from now on; where the engine may begin without its server, as soon as that is there."""
        try:
            position = await connection.subscribe(EVERYBODY)
        except EngineDownError:
            await checkpoint()
            return
        if self._position is not None:  # it was connected to before
            self._reach(position)
        self._position = position

    def arrived(self, arrival: Arrival) -> None:
        """An order: it is obeyed at once, and those that are missing before it are fetched."""
        self._reach(Position(arrival.position.epoch, arrival.previous))
        self._position = arrival.position
        order = order_in(arrival.data)
        if order is not None:
            self._obey(order)

    def resumed(self, position: Position) -> None:
        """Hearing was interrupted, and goes on from a place: what came before it is fetched."""
        self._reach(position)
        self._position = position

    def _reach(self, place: Position) -> None:
        """See to it that everything up to a place is obeyed."""
        seen = self._position
        if seen is not None and seen.epoch == place.epoch and seen.offset >= place.offset:
            return

        async def fetch() -> None:
            while (connection := self._hub.connection) is not None:
                try:
                    await self._catch_up(connection, seen)
                except EngineDownError:
                    await anyio.sleep(AGAIN)
                else:
                    return

        self._hub.start(fetch)

    async def _catch_up(self, connection: Connection, after: Position | None) -> None:
        page = await connection.read(EVERYBODY, after)
        if not page.is_complete:
            logger.warning("groups: orders to end sessions were lost, or may have been: this process was cut off from the engine")
            page = await connection.read(EVERYBODY)
        for _, data in page.entries:
            order = order_in(data)
            if order is not None:
                self._obey(order, before=order.at)

    async def make_good(self, life: Life, since: float) -> None:
        """Obey for one session what was ordered while it was on its way from another process.

        Args:
            life: The session.
            since: When it left, in seconds since 1970.
        """
        connection = self._hub.connection
        if connection is None:
            return
        try:
            page = await connection.read(EVERYBODY)
        except EngineDownError:
            logger.warning("session %s: whether it was ordered to end while it moved is not known", life.id)
            return
        for _, data in page.entries:
            order = order_in(data)
            if order is not None and order.at >= since and _means(order, life):
                life.stop(order.code, order.reason)

    def _obey(self, order: Disconnect, before: float | None = None) -> None:
        """End the sessions that are meant.

        Args:
            order: The order.
            before: Only those that began before it, in seconds since 1970.
        """
        for sessions in tuple(self._hub.sessions.values()):
            life = sessions.life
            if _means(order, life) and (before is None or sessions.since < before):
                life.stop(order.code, order.reason)
        if order.who.startswith(SESSION) and (name := order.who.removeprefix(SESSION)) not in self._hub.sessions:
            # One that never asked for its groups. Whoever knows its id knew it while it lasted, so it began before the order.
            session = find_session(name)
            if session is not None:
                session.stop(order.code, order.reason)


def _means(order: Disconnect, life: Life) -> bool:
    return order.who in (SESSION + life.id, None if life.user is None else USER + life.user)
