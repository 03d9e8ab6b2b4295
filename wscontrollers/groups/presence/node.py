"""One event loop among all those that keep presence in an engine: it shows that it is alive, and notices who is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import anyio
from anyio import Event, Lock

from ...exceptions import EngineDownError
from ...logs import logger_of
from ..engines.engine import Arrival, Connection, EngineState, Position
from .batches import all_of
from .entry import Entry, entries_in
from .places import NODES, group_of, index_of, space_of
from .roster import Roster

if TYPE_CHECKING:
    from ...session.life import Life
    from ..hub import Hub
    from .declared import PresenceOf

logger = logger_of("wscontrollers.groups")

BEATS = 3
"""How many beats a lease lasts."""


class Node:
    """Keeps the presence of the sessions of one event loop.

    It has a lease in the engine while it has sessions in groups with presence, and renews it at every beat. Who finds that the
    lease of another one ended takes its sessions for gone.

    Args:
        hub: The groups of the event loop.
        lease: Seconds after which it is taken for dead if it does not renew its lease.

    Attributes:
        id: A name for the node: 16 random hexadecimal digits.
        lease: The same.
    """

    def __init__(self, hub: Hub, *, lease: float) -> None:
        self.id = token_hex(8)
        self.lease = lease
        self._hub = hub
        self._rosters: dict[str, Roster] = {}
        self._enrolling = Lock()
        self._is_enrolled = False
        self._pulse = Lock()
        self._beats = False
        self._unsure = 0
        self._woken = Event()

    # Sessions

    async def enter(self, group: str, declared: PresenceOf[Any], life: Life, user: str | None, info: Any) -> None:
        """A session is in a group; on return the engine knows it, unless that does not answer: then it will, when it does.

        Args:
            group: The name of the group.
            declared: What is declared of its presence.
            life: The session.
            user: Whose it is.
            info: What it gave, as JSON has it.
        """
        roster = self._rosters.get(group)
        if roster is None:
            roster = self._rosters[group] = Roster(group, declared, self)
        self._start()
        await roster.enter(life, user, info)

    async def change(self, group: str, session: str, **changes: Any) -> None:
        """Something of a session is said: `user`, or `info`."""
        roster = self._rosters.get(group)
        if roster is not None and roster.change(session, **changes):
            await self.attempt(roster.settle)

    async def settle(self) -> None:
        """Let the engine know what it does not know yet; what it does not take is tried again later."""
        for roster in [each for each in self._rosters.values() if not each.is_settled]:
            await self.attempt(roster.settle)

    def info_of(self, group: str, session: str) -> Any:
        """What a session gave for its presence, as JSON has it; None where it gave nothing."""
        roster = self._rosters.get(group)
        return None if roster is None else roster.info_of(session)

    def leave(self, group: str, session: str) -> None:
        """A session is in a group no more."""
        roster = self._rosters.get(group)
        if roster is not None and roster.leave(session):

            async def settle() -> None:
                await self.attempt(partial(self._settle, group, roster))

            self._hub.start(settle)

    async def present(self, group: str) -> list[Entry]:
        """Who is in a group, in all processes, in the order in which they came.

        Raises:
            EngineDownError: The engine does not answer.
        """
        connection = await self._hub.open()
        # In this order: a node that has an entry was alive before.
        entries = entries_in(await connection.entries(space_of(group)))
        alive = await connection.alive()
        roster = self._rosters.get(group)
        own = [] if roster is None else roster.entries
        others = [entry for entry in entries if entry.node in alive and entry.node != self.id]
        return sorted([*own, *others], key=lambda entry: (entry.since, entry.session))

    # Its life

    async def enrol(self, connection: Connection) -> None:
        """Be alive for the others, before anything of this node is to be seen.

        Raises:
            EngineDownError: The engine does not answer.
        """
        if self._is_enrolled:
            return
        async with self._enrolling:
            if not self._is_enrolled:
                await connection.renew(self.id, self.lease)
                await connection.put(NODES, self.id, b"1")
                self._is_enrolled = True

    async def beat(self, *, is_early: bool = False) -> None:
        """Renew the lease, settle what is not settled yet, and see who died.

        Args:
            is_early: Whether it comes before its time, because something is to be done.

        Raises:
            EngineDownError: The engine does not answer.
        """
        connection = await self._hub.open()
        await self._tidy(connection)
        # What was seen of a node before its lease is looked at came behind the beginning of that lease.
        seen = frozenset[str]().union(*(each.audience.view.nodes for each in self._rosters.values() if each.audience is not None))
        was_enrolled = self._is_enrolled
        enrolled = frozenset(await connection.entries(NODES))
        alive = await connection.alive()
        is_forgotten = was_enrolled and not (self.id in alive and self.id in enrolled)
        if is_forgotten:
            self._unsure = BEATS  # others find out at their own next beats that the engine lost what it knew
        dead = frozenset[str]() if self._unsure else (seen | enrolled) - alive - {self.id}
        for roster in self._rosters.values():
            if roster.audience is not None:
                roster.audience.bury(dead)
        if self._rosters:
            await self._renew(connection, is_forgotten=is_forgotten)
        for roster in [each for each in self._rosters.values() if not each.is_settled]:
            await roster.settle(connection)
            if not self._unsure or roster.is_new:
                await roster.attend(connection)
        for node in dead & enrolled:
            await self._clean(connection, node)
        if not is_early:
            self._unsure = max(self._unsure - 1, 0)

    async def close(self) -> None:
        """Let all sessions be gone, and the lease end, so that nobody has to wait for that."""
        for roster in self._rosters.values():
            roster.clear()
        async with self._pulse:
            if self._rosters or self._is_enrolled:
                await self.attempt(self._tidy)
            self._rosters.clear()
            self._is_enrolled = False
        self.wake()

    def wake(self) -> None:
        """Beat now."""
        self._woken.set()

    async def attempt(self, call: Callable[[Connection], Awaitable[Any]]) -> None:
        """Ask something of the engine, if it is there; the beat makes good for what it does not do."""
        try:
            connection = await self._hub.open()
            if connection.state is not EngineState.DOWN:
                await call(connection)
        except EngineDownError as error:
            logger.debug("presence: %s", error)  # the engine's state is logged where it changes

    def _start(self) -> None:
        if not self._beats:
            self._beats = True
            self._hub.start(self._run)

    async def _run(self) -> None:
        try:
            while self._rosters or self._is_enrolled:
                with anyio.move_on_after(self.lease / BEATS) as pause:
                    await self._woken.wait()
                self._woken = Event()
                try:
                    async with self._pulse:
                        if self._rosters or self._is_enrolled:
                            await self.beat(is_early=not pause.cancelled_caught)
                except EngineDownError as error:
                    logger.debug("presence: %s", error)
                except Exception:
                    logger.exception("presence: a beat failed")
        finally:
            self._beats = False

    async def _renew(self, connection: Connection, *, is_forgotten: bool) -> None:
        async with self._enrolling:
            if not self._is_enrolled:
                return
            await connection.renew(self.id, self.lease)
            if not is_forgotten:
                return
            logger.warning("presence: this process was taken for dead, or the engine lost what it knew; it is told again")
            await connection.put(NODES, self.id, b"1")
        for roster in self._rosters.values():
            roster.forget()

    async def _settle(self, group: str, roster: Roster, connection: Connection) -> None:
        await roster.settle(connection)
        if await roster.give_up(connection) and self._rosters.get(group) is roster:
            del self._rosters[group]

    async def _tidy(self, connection: Connection) -> None:
        """Give up groups without sessions, and the lease if there are no others."""
        for group, roster in tuple(self._rosters.items()):
            if not roster.entries:
                await self._settle(group, roster, connection)
        async with self._enrolling:
            if self._is_enrolled and not self._rosters:
                await connection.remove(NODES, self.id)
                await connection.renew(self.id, 0)
                self._is_enrolled = False

    async def _clean(self, connection: Connection, dead: str) -> None:
        """Remove what a dead node left; its own entry is the last, for by that it learns that it was taken for dead."""
        for group in await connection.entries(index_of(dead)):
            space = space_of(group)
            gone = [each.session for each in entries_in(await connection.entries(space)) if each.node == dead]
            await all_of([partial(connection.remove, space, session) for session in gone])
            await connection.remove(index_of(dead), group)
        await connection.remove(NODES, dead)

    # What the engine tells

    def arrived(self, arrival: Arrival) -> bool:
        """Take what another node tells.

        Returns:
            Whether it was of presence.
        """
        group = group_of(arrival.channel)
        if group is None:
            return False
        roster = self._rosters.get(group)
        if roster is not None and roster.audience is not None:
            roster.audience.arrived(arrival)
            self._see_to(roster)
        return True

    def resumed(self, channel: str, position: Position) -> bool:
        """Note that a subscription was interrupted.

        Returns:
            Whether it was of presence.
        """
        group = group_of(channel)
        if group is None:
            return False
        roster = self._rosters.get(group)
        if roster is not None and roster.audience is not None:
            roster.audience.resumed(position)
            self._see_to(roster)
        return True

    def _see_to(self, roster: Roster) -> None:
        if not roster.is_settled and not self._unsure:
            self.wake()
