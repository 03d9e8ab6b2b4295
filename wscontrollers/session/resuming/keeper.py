"""The sessions of an event loop that can be taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anyio.lowlevel import RunVar

from ...logs import logger_of

if TYPE_CHECKING:
    from .handing import Handing
    from .line import Line
    from .reach import Reach
    from .resume import Resume

logger = logger_of("wscontrollers.session")


class Keeper:
    """Knows the lines of one event loop by the ids of their sessions, and which of them wait for their clients."""

    __slots__ = ("_lines", "_waiting")

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._waiting: dict[Resume, dict[Reach, None]] = {}

    def keep(self, line: Line) -> None:
        """A session began."""
        self._lines[line.id] = line

    def forget(self, line: Handing) -> None:
        """It is over."""
        if self._lines.get(line.id) is line:
            del self._lines[line.id]
        for resume in tuple(self._waiting):
            self.waits_no_more(line, resume)

    def find(self, session: str, owner: object) -> Line | None:
        """The line of a session of an application."""
        line = self._lines.get(session)
        return None if line is None or line.owner is not owner else line

    def of(self, owner: object) -> Iterator[Line]:
        """The lines of an application."""
        return iter([line for line in self._lines.values() if line.owner is owner])

    def waits(self, line: Reach, resume: Resume) -> None:
        """A session waits for its client; where more do than may, the one that has waited longest ends."""
        waiting = self._waiting.setdefault(resume, {})
        waiting[line] = None
        if resume.limit is not None and len(waiting) > resume.limit:
            logger.info("more than %d sessions wait for their clients: the one that has waited longest ends", resume.limit)
            next(iter(waiting)).over()

    def waits_no_more(self, line: Reach, resume: Resume) -> None:
        """Its client is there, or does not come back."""
        waiting = self._waiting.get(resume, {})
        waiting.pop(line, None)
        if not waiting:
            self._waiting.pop(resume, None)


_keepers: RunVar[Keeper] = RunVar("wscontrollers_keeper")


def keeper() -> Keeper:
    """That of the running event loop."""
    found: Keeper | None = _keepers.get(None)
    if found is None:
        found = Keeper()
        _keepers.set(found)
    return found
