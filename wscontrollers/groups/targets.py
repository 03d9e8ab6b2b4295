"""Whom a publication or an order is for, as texts that other processes understand."""

from __future__ import annotations

import re
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
_ID = re.compile("[0-9a-f]{16}")


def excluded(who: Session[Any, Any] | str | Iterable[Session[Any, Any] | str]) -> frozenset[str]:
    """Who does not get a publication: ids of sessions, and users as "user:id".

    Args:
        who: One or several: sessions, their ids, "session:id" or "user:id".

    Raises:
        ValueError: One of them is nobody.
    """
    if who == ():
        return _NOBODY
    several = who if isinstance(who, Iterable) and not isinstance(who, str | Session) else [who]
    return frozenset(each.id if isinstance(each, Session) else _named(each) for each in several)


def _named(who: object) -> str:
    if isinstance(who, str):
        if _ID.fullmatch(who) or (who.startswith(USER) and who != USER):
            return who
        if who.startswith(SESSION) and who != SESSION:
            return who.removeprefix(SESSION)
    raise ValueError(
        f'groups: exclude={str(who)[:80]!r} is nobody. Fix: give a session, its id, "session:" and an id, or "user:" and an id.'
    )
