"""Whom a publication or an order is for, as texts that other processes understand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..session import Session
from .names import SESSION, USER


def target_of(who: Session[Any, Any] | str) -> str:
    """Whom a session or a text stands for: "session:id" or "user:id".

    Raises:
        ValueError: The text is neither.
    """
    if not isinstance(who, str):
        return SESSION + who.id
    if not who.startswith((SESSION, USER)):
        raise ValueError(f'groups: {who[:80]!r} is nobody. Fix: give a session, "session:" and its id, or "user:" and an id.')
    return who


_NOBODY = frozenset[str]()


def ids_of(sessions: Session[Any, Any] | str | Iterable[Session[Any, Any] | str]) -> frozenset[str]:
    """The ids of one session or several, each given as itself or by its id."""
    if sessions == ():
        return _NOBODY
    several = [sessions] if isinstance(sessions, str | Session) else sessions
    return frozenset(each.removeprefix(SESSION) if isinstance(each, str) else each.id for each in several)
