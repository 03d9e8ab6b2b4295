"""The sessions of one node in one group with presence: what the engine is to keep of them, and who hears of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from time import time
from typing import TYPE_CHECKING, Any

from anyio import Lock

from .audience import Audience
from .batches import SIZE, all_of
from .declared import PresenceOf
from .entry import Entry, Notice
from .places import channel_of, index_of, space_of

if TYPE_CHECKING:
    from ...session.life import Life
    from ..engines.engine import Connection
    from .node import Node


class Roster:
    """Keeps what the engine knows of a node's sessions in a group the same as what is true.

    Changes are noted at once, and settled with the engine in the order in which they came, those that wait together. What the
    engine did not take is noted still, and tried again at the node's next beat.

    Args:
        group: The name of the group.
        declared: What is declared of its presence.
        node: The node.

    Attributes:
        audience: Who hears of the others; None where the group does not announce.
    """

    __slots__ = ("_declared", "_group", "_is_indexed", "_kept", "_lock", "_node", "_open", "_unsettled", "audience")

    def __init__(self, group: str, declared: PresenceOf[Any], node: Node) -> None:
        self._group = group
        self._declared = declared
        self._node = node
        self._lock = Lock()
        self._open: dict[str, Entry] = {}
        self._unsettled: dict[str, None] = {}
        self._kept: set[str] = set()
        self._is_indexed = False
        self.audience: Audience | None = None

    @property
    def entries(self) -> list[Entry]:
        """The node's sessions in the group."""
        return list(self._open.values())

    @property
    def is_settled(self) -> bool:
        """Whether the engine knows everything, and so does the audience."""
        return not self._unsettled and (self.audience is None or not self.audience.is_stale)

    @property
    def is_new(self) -> bool:
        """Whether its audience never heard who is there."""
        return self.audience is not None and self.audience.is_new

    # Its sessions

    async def enter(self, life: Life, user: str | None, info: Any) -> None:
        """A session is there; on return the engine knows it, unless that does not answer.

        Args:
            life: The session.
            user: Whose it is.
            info: What it gave, as JSON has it.
        """
        session = life.id
        now = time()
        self._note(Entry(session, self._node.id, info, now, now, user))
        if self._declared.announce:
            if self.audience is None:
                self.audience = Audience(self._group, self._node.id, self._declared, life.clock)
            if self.audience.is_new:
                await self._node.attempt(self.attend)
            entry = self._open.get(session)
            if entry is None:
                return  # it left meanwhile
            self.audience.welcome(entry, life)
        await self._node.attempt(self.settle)

    def change(self, session: str, **changes: Any) -> bool:
        """Something of a session is said: its user, or what it gives; it has to be settled.

        Returns:
            Whether the session is there.
        """
        entry = self._open.get(session)
        if entry is None:
            return False
        self._note(replace(entry, at=time(), **changes))
        if self.audience is not None:
            self.audience.put(self._open[session])
        return True

    def info_of(self, session: str) -> Any:
        """What a session gave, as JSON has it."""
        entry = self._open.get(session)
        return None if entry is None else entry.info

    def leave(self, session: str) -> bool:
        """A session is there no more; it has to be settled.

        Returns:
            Whether it was there.
        """
        if self._open.pop(session, None) is None:
            return False
        self._unsettled[session] = None
        if self.audience is not None:
            self.audience.leave(session)
        return True

    def clear(self) -> None:
        """No session is there any more, and nobody is told anything."""
        if self.audience is not None:
            self.audience.dismiss()
        for session in tuple(self._open):
            self.leave(session)

    def forget(self) -> None:
        """The engine lost what it knew, or another node took this one for dead: everything is to be settled again."""
        self._unsettled |= dict.fromkeys(self._open)
        self._is_indexed = False

    def _note(self, entry: Entry) -> None:
        self._open[entry.session] = entry
        self._unsettled[entry.session] = None

    # What the engine is told; each of these raises `EngineDownError`, and can be called again

    async def attend(self, connection: Connection) -> None:
        """Have the audience hear of the others."""
        async with self._lock:
            if self.audience is not None and self.audience.is_stale:
                await self.audience.open(connection, self._open.values())

    async def settle(self, connection: Connection) -> None:
        """Tell the engine, and the other nodes, of all changes."""
        async with self._lock:
            while self._unsettled:
                batch = list(islice(self._unsettled, SIZE))
                for session in batch:
                    del self._unsettled[session]
                try:
                    await self._tell(connection, batch)
                except BaseException:
                    self._unsettled = dict.fromkeys(batch) | self._unsettled
                    raise

    async def give_up(self, connection: Connection) -> bool:
        """End what is there for the sessions, if there are none.

        Returns:
            Whether there are none, and nothing is left.
        """
        async with self._lock:
            if self._open or self._unsettled:
                return False
            if self.audience is not None:
                await self.audience.close(connection)
            if self._is_indexed:
                await connection.remove(index_of(self._node.id), self._group)
                self._is_indexed = False
            return not self._open

    async def _tell(self, connection: Connection, sessions: Sequence[str]) -> None:
        there = [self._open[session] for session in sessions if session in self._open]
        gone = [session for session in sessions if session not in self._open]
        space = space_of(self._group)
        if there:
            await self._node.enrol(connection)
            if not self._is_indexed:
                await connection.put(index_of(self._node.id), self._group, b"1")
                self._is_indexed = True
            self._kept.update(each.session for each in there)
            await all_of([partial(connection.put, space, each.session, each.encode()) for each in there])
        known = [session for session in gone if session in self._kept]
        if known:
            await all_of([partial(connection.remove, space, session) for session in known])
        if self._declared.announce and (there or known):
            notice = Notice(self._node.id, there, known)
            await connection.publish(channel_of(self._group), notice.encode())
        self._kept.difference_update(known)
