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
    """Keeps apart who is there and who the members think is there: the difference is news.

    What happens twice, was seen already, or was undone before anybody was told, is none. A user with several sessions counts
    once, with the info that was given last.

    Args:
        linger: Seconds after which it is news that a user left.
        now: The time, in seconds.
    """

    __slots__ = ("_due", "_linger", "_news", "_now", "_sessions", "_told", "_whose")

    def __init__(self, linger: float, now: Callable[[], float]) -> None:
        self._linger = linger
        self._now = now
        self._whose: dict[str, str] = {}
        self._sessions: dict[str, dict[str, Entry]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._due: dict[str, float] = {}
        self._news: dict[str, dict[str, Any] | None] = {}

    @property
    def told(self) -> list[dict[str, Any]]:
        """Who is there as far as members were told: who joins is told the same, and hears of the same changes."""
        return list(self._told.values())

    @property
    def waits(self) -> bool:
        """Whether somebody left who may still come back."""
        return bool(self._due)

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._news)

    @property
    def nodes(self) -> frozenset[str]:
        """Where its sessions are."""
        return frozenset(entry.node for sessions in self._sessions.values() for entry in sessions.values())

    def take(self) -> Changes:
        """The news, which the members are told now."""
        changes = Changes([], [])
        for who, shown in self._news.items():
            if shown is None:
                changes.left.append(self._told.pop(who))
            else:
                self._told[who] = shown
                changes.joined.append(shown)
        self._news.clear()
        return changes

    def put(self, *entries: Entry) -> None:
        """Sessions are there."""
        self._settle(dict.fromkeys(who for entry in entries for who in self._put(entry)), self._linger)

    def remove(self, *sessions: str) -> None:
        """Sessions are there no more; they may come back."""
        self._settle(dict.fromkeys(who for session in sessions for who in self._remove(session)), self._linger)

    def replace(self, entries: Iterable[Entry]) -> None:
        """These and no others are there."""
        entries = tuple(entries)
        gone = self._whose.keys() - {entry.session for entry in entries}
        touched = dict.fromkeys(who for session in gone for who in self._remove(session))
        touched |= dict.fromkeys(who for entry in entries for who in self._put(entry))
        self._settle(touched, self._linger)

    def bury(self, nodes: frozenset[str]) -> None:
        """Some nodes are dead, since long enough for their sessions to have come back: that is news at once."""
        gone = [entry.session for sessions in self._sessions.values() for entry in sessions.values() if entry.node in nodes]
        self._settle(dict.fromkeys(who for session in gone for who in self._remove(session)), 0.0)

    def expire(self) -> None:
        """See whose time to come back is over."""
        now = self._now()
        self._settle([who for who, due in self._due.items() if due <= now], 0.0)

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

    def _settle(self, touched: Iterable[str], linger: float) -> None:
        """Note what is news of some, and whose time to come back begins."""
        for who in touched:
            sessions, told = self._sessions.get(who), self._told.get(who)
            if sessions:
                self._due.pop(who, None)
                shown = max(sessions.values(), key=lambda entry: (entry.at, entry.session)).shown
                self._note(who, shown, is_news=shown != told)
            elif told is not None and linger and "user" in told:
                self._due.setdefault(who, self._now() + linger)
                self._note(who, None, is_news=False)
            else:
                self._due.pop(who, None)
                self._note(who, None, is_news=told is not None)

    def _note(self, who: str, shown: dict[str, Any] | None, *, is_news: bool) -> None:
        if is_news:
            self._news[who] = shown
        else:
            self._news.pop(who, None)
