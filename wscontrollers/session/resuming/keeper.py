"""The sessions of an event loop that can be taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anyio.lowlevel import RunVar

if TYPE_CHECKING:
    from .handing import Handing
    from .line import Line


class Keeper:
    """Knows the lines of one event loop by the ids of their sessions."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def keep(self, line: Line) -> None:
        """A session began."""
        self._lines[line.id] = line

    def forget(self, line: Handing) -> None:
        """It is over."""
        if self._lines.get(line.id) is line:
            del self._lines[line.id]

    def find(self, session: str, owner: object) -> Line | None:
        """The line of a session of an application."""
        line = self._lines.get(session)
        return None if line is None or line.owner is not owner else line

    def of(self, owner: object) -> Iterator[Line]:
        """The lines of an application."""
        return iter([line for line in self._lines.values() if line.owner is owner])


_keepers: RunVar[Keeper] = RunVar("wscontrollers_keeper")


def keeper() -> Keeper:
    """That of the running event loop."""
    found: Keeper | None = _keepers.get(None)
    if found is None:
        found = Keeper()
        _keepers.set(found)
    return found
