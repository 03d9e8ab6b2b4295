"""What is told of a session that is in a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

InfoT = TypeVar("InfoT")


@dataclass(frozen=True, slots=True)
class Present(Generic[InfoT]):
    """A session that is in a group with presence.

    Attributes:
        session: Its id.
        user: Whose it is, if it said so by `Session.identify`.
        info: What it gave when it joined, of the type that the group declares.
        since: When it joined, by the clock of its own process; aware, in UTC.
    """

    session: str
    user: str | None
    info: InfoT
    since: datetime
