"""One session in a group, as processes tell each other of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import to_json

from ...logs import logger_of
from ..names import SESSION, USER

logger = logger_of("wscontrollers.groups")


@dataclass(frozen=True, slots=True)
class Entry:
    """A session that is in a group: what the engine keeps under the session's id.

    Attributes:
        session: The id of the session.
        node: The process that it is in.
        info: What it gave, as JSON has it.
        since: When it joined, in seconds since 1970.
        at: When it gave this info, in seconds since 1970: of several sessions of a user the last one counts.
        user: Whose session it is, if it said so.
    """

    session: str
    node: str
    info: Any
    since: float
    at: float
    user: str | None = None

    @property
    def who(self) -> str:
        """Whom the members see: "user:id", or "session:id" where the session is nobody's."""
        return SESSION + self.session if self.user is None else USER + self.user

    @property
    def shown(self) -> dict[str, Any]:
        """What the members see."""
        whose = {"session": self.session} if self.user is None else {"user": self.user}
        return {**whose, "info": self.info}

    def encode(self) -> bytes:
        """As bytes."""
        return to_json(self)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the sessions of one node did in a group.

    Attributes:
        node: The node.
        joined: Sessions that are there now, also those that gave another info.
        left: The ids of sessions that are there no more.
    """

    node: str
    joined: list[Entry] = Field(default_factory=list[Entry])
    left: list[str] = Field(default_factory=list[str])

    def encode(self) -> bytes:
        """As bytes."""
        return to_json(self)


_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)


def entries_in(values: Mapping[str, bytes]) -> list[Entry]:
    """The sessions that an engine keeps for a group; what is none is left out and logged."""
    found: list[Entry] = []
    for key, value in values.items():
        try:
            found.append(_ENTRY.validate_json(value))
        except ValidationError:
            logger.warning("presence: what is kept for session %r was not understood", key)
    return found


def notice_in(data: bytes) -> Notice | None:
    """What another node tells; None, and a line in the log, if it was not understood."""
    try:
        return _NOTICE.validate_json(data)
    except ValidationError:
        logger.warning("presence: what another process tells was not understood")
        return None
