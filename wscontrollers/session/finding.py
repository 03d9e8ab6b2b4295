"""Finding a session that runs here by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .timing import Timekeeper
from .watch import watched_here

if TYPE_CHECKING:
    from .life import Life


def find_session(name: str) -> Life | None:
    """The session of the running event loop that has an id; None if none has, or nobody ever asked for its id.

    It looks at one after the other: no session pays for being found.
    """
    for watched in watched_here():
        if isinstance(watched, Timekeeper) and watched.life.is_named(name):
            return watched.life
    return None
