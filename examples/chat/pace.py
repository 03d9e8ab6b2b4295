"""How fast a member may send."""

from __future__ import annotations

import math

import anyio

from examples.chat.limits import Limits


class Pace:
    """Lets a burst pass, and behind it one frame for each stretch of time.

    Source: the generic cell rate algorithm (ITU-T I.371).
    """

    def __init__(self, limits: Limits) -> None:
        self._stretch = limits.pace
        self._burst = limits.pace * limits.burst
        self._due = -math.inf

    def allows_one_more(self) -> bool:
        """Whether the frame that has just come is in time."""
        now = anyio.current_time()
        self._due = max(self._due, now) + self._stretch
        return self._due <= now + self._burst
