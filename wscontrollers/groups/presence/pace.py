"""How often the members of a group are told who came and who left."""

from __future__ import annotations

from math import inf
from typing import Final

_ROUNDING: Final = 1e-6
"""Seconds: a moment that was reached by adding up may lie so much before the one that was meant."""


class Pace:
    """Allows a few times at once, then one an interval; where it is quiet the few come back, one an interval.

    Args:
        interval: Seconds; 0 always allows.
        burst: How many times at once.
    """

    __slots__ = ("_ahead", "_full_at", "_interval")

    # The generic cell rate algorithm (ITU-T I.371): all that is kept is the moment at which the whole burst is there again.
    def __init__(self, interval: float, burst: int) -> None:
        self._interval = interval
        self._ahead = (burst - 1) * interval + _ROUNDING
        self._full_at = -inf

    def allows(self, now: float) -> bool:
        """Whether it is time.

        Args:
            now: The clock's seconds.
        """
        return self._full_at - now <= self._ahead

    def spend(self, now: float) -> None:
        """It was done once."""
        self._full_at = max(self._full_at, now) + self._interval
