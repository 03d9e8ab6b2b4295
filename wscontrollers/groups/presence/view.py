"""Who is in a group, as its members in one process have been told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .entry import Entry


class Changes(NamedTuple):
    """What members are to be told.

    Attributes:
        joined: Who is there, and was not or with another info.
        left: Who is there no more.
    """

    joined: list[dict[str, Any]]
    left: list[dict[str, Any]]

    def __bool__(self) -> bool:
        return bool(self.joined or self.left)


class View:
    """Keeps apart who is there and who the members think is there; what happens twice, or was seen already, changes nothing.

    A user with several sessions counts once, with the info that was given last.

    Args:
        linger: Seconds after which members are told that a user left.
        now: The time, in seconds.
    """

    __slots__ = ("_due", "_linger", "_now", "_sessions", "_told", "_whose")

    def __init__(self, linger: float, now: Callable[[], float]) -> None:
        self._linger = linger
        self._now = now
        self._whose: dict[str, str] = {}
        self._sessions: dict[str, dict[str, Entry]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._due: dict[str, float] = {}

    @property
    def told(self) -> list[dict[str, Any]]:
        """Who is there as far as members were told: who joins now is told the same, and hears of the same changes."""
        return list(self._told.values())

    @property
    def waits(self) -> bool:
        """Whether somebody left of whom the members are not told yet."""
        return bool(self._due)

    @property
    def nodes(self) -> frozenset[str]:
        """Where its sessions are."""
        return frozenset(entry.node for sessions in self._sessions.values() for entry in sessions.values())

    def put(self, *entries: Entry) -> Changes:
        """Sessions are there."""
        touched = dict.fromkeys(who for entry in entries for who in self._put(entry))
        return self._settled(touched, self._linger)

    def remove(self, *sessions: str) -> Changes:
        """Sessions are there no more; they may come back."""
        touched = dict.fromkeys(who for session in sessions for who in self._remove(session))
        return self._settled(touched, self._linger)

    def replace(self, entries: Iterable[Entry]) -> Changes:
        """These and no others are there."""
        entries = tuple(entries)
        gone = self._whose.keys() - {entry.session for entry in entries}
        touched = dict.fromkeys(who for session in gone for who in self._remove(session))
        touched |= dict.fromkeys(who for entry in entries for who in self._put(entry))
        return self._settled(touched, self._linger)

    def bury(self, nodes: frozenset[str]) -> Changes:
        """Some nodes are dead, since long enough for their sessions to have come back: members are told at once."""
        gone = [entry.session for sessions in self._sessions.values() for entry in sessions.values() if entry.node in nodes]
        return self._settled(dict.fromkeys(who for session in gone for who in self._remove(session)), 0.0)

    def expire(self) -> Changes:
        """See whose time to come back is over."""
        now = self._now()
        return self._settled([who for who, due in self._due.items() if due <= now], 0.0)

    def _put(self, entry: Entry) -> list[str]:
        before = self._whose.get(entry.session)
        touched = [entry.who] if before in (None, entry.who) else [*self._remove(entry.session), entry.who]
        self._whose[entry.session] = entry.who
        self._sessions.setdefault(entry.who, {})[entry.session] = entry
        return touched

    def _remove(self, session: str) -> list[str]:
        who = self._whose.pop(session, None)
        if who is None:
            return []
        sessions = self._sessions[who]
        del sessions[session]
        if not sessions:
            del self._sessions[who]
        return [who]

    def _settled(self, touched: Iterable[str], linger: float) -> Changes:
        changes = Changes([], [])
        for who in touched:
            sessions = self._sessions.get(who)
            if sessions:
                self._due.pop(who, None)
                shown = max(sessions.values(), key=lambda entry: (entry.at, entry.session)).shown
                if self._told.get(who) != shown:
                    self._told[who] = shown
                    changes.joined.append(shown)
            elif who in self._told:
                if linger and "user" in self._told[who]:
                    self._due.setdefault(who, self._now() + linger)
                else:
                    self._due.pop(who, None)
                    changes.left.append(self._told.pop(who))
        return changes
