"""The tickets of one session: which of them are good, and how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from time import time
from typing import Final

from .resume import Resume
from .tickets import Ticket

RENEWED: Final = 300.0
"""Seconds after which a session that lasts gets another ticket."""
_SLACK: Final = 30.0
"""Seconds that a ticket is good beyond that and the grace: another one may be on its way when the connection is lost."""


class Issuing:
    """Makes the tickets of one session; each is good once, and not for ever.

    Args:
        session: The session's id.
        resume: What is declared.

    Attributes:
        number: The number of the last ticket.
    """

    __slots__ = ("_good", "_resume", "_session", "number")

    def __init__(self, session: str, resume: Resume) -> None:
        self._session = session
        self._resume = resume
        self._good: dict[int, float] = {}
        self.number = 0

    def go_on(self, number: int, good: Iterable[int], now: float) -> None:
        """Go on from the tickets that another process made.

        Args:
            number: The number of the last one.
            good: The numbers of those that are good, for the time of the grace.
            now: The clock's seconds.
        """
        self.number = number
        self._good = dict.fromkeys(good, now + self._resume.grace)

    def good(self, now: float) -> frozenset[int]:
        """The numbers of the tickets that are good."""
        return frozenset(number for number, end in self._good.items() if now < end)

    def issue(self, now: float) -> str:
        """Another ticket; those before it stay good until their time is over, or one of them is used.

        Args:
            now: The clock's seconds.
        """
        self._good = {number: end for number, end in self._good.items() if now < end}
        self.number += 1
        seconds = RENEWED + self._resume.grace + _SLACK
        self._good[self.number] = now + seconds
        return self._resume.tickets.sign(Ticket(self._session, self.number, ceil(time() + seconds)))

    def is_good(self, number: int, now: float) -> bool:
        """Whether a ticket can be used."""
        return now < self._good.get(number, now)

    def is_due(self, now: float) -> bool:
        """Whether it is time for another ticket."""
        return bool(self._good) and now >= max(self._good.values()) - self._resume.grace - _SLACK

    def spend(self) -> Mapping[int, float]:
        """Use a ticket, and with it all of them.

        Returns:
            What `give_back` takes, if nothing comes of it.
        """
        spent, self._good = self._good, {}
        return spent

    def give_back(self, spent: Mapping[int, float]) -> None:
        """Let tickets be good again, beside those that were made since."""
        self._good = {**spent, **self._good}
