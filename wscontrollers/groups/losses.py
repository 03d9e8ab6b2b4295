"""What groups lost in a fault, for the log: one line for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from ..logs import logger_of
from .names import USER

logger = logger_of("wscontrollers.groups")

SOON: Final = 0.5
"""Seconds in which what is noted goes into one line."""
_NAMED: Final = 3
"""How many groups are named; those of users never are."""


class Losses:
    """Notes what is lost, and says it soon after the first of it.

    Args:
        start: Starts a task.
    """

    def __init__(self, start: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
        self._start = start
        self._is_due = False
        self._names: list[str] = []
        self._error: Exception | None = None
        self._clear()

    def lost(self, group: str, messages: int) -> None:
        """A group lost messages; 0 where it is not known how many."""
        self._groups += 1
        self._messages += messages
        self._unknown += not messages
        if not group.startswith(USER) and len(self._names) < _NAMED:
            self._names.append(group)
        self._note()

    def waits(self, error: Exception) -> None:
        """A group has to wait for what it missed, for the engine does not give it out."""
        self._waiting += 1
        self._error = error
        self._note()

    def tell(self) -> None:
        """Say what was noted, now."""
        if self._groups:
            logger.warning(
                "groups: messages were lost on their way here, in %d groups%s: %s", self._groups, self._named, self._counted
            )
        if self._waiting:
            logger.warning("groups: %d wait for what they missed: %s", self._waiting, self._error)
        self._clear()

    @property
    def _named(self) -> str:
        more = ["..."] if self._groups > len(self._names) else []
        return f" ({', '.join([*map(repr, self._names), *more])})" if self._names else ""

    @property
    def _counted(self) -> str:
        known = [str(self._messages)] if self._messages else []
        return ", and ".join([*known, f"an unknown number in {self._unknown}"] if self._unknown else known)

    def _clear(self) -> None:
        self._groups = self._messages = self._unknown = self._waiting = 0
        self._error = None
        self._names.clear()

    def _note(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._start(self._soon)

    async def _soon(self) -> None:
        await anyio.sleep(SOON)
        self._is_due = False
        self.tell()
