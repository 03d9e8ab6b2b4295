"""The time of the sessions under test, which stands still until the test moves it."""

from __future__ import annotations

from ..session.clock import Clock
from ..session.watch import watch_of
from .rest import at_rest

_STEP = 1.0
"""Seconds of one step: about as often the limits of time are looked at."""


class VirtualClock(Clock):
    """The clock of idle and life times, rates, stalls and graces; time-outs of handlers and of the test are real.

    Args:
        timeout: Real seconds that the application may be at work behind each step; None waits for ever.
    """

    def __init__(self, *, timeout: float | None = 5.0) -> None:
        self._now = 1000.0  # any moment but 0, which would hide a time that nobody set
        self._timeout = timeout

    def now(self) -> float:
        """Seconds since some moment."""
        return self._now

    async def advance(self, seconds: float) -> None:
        """Let time pass: what falls due happens in its order, and when this returns the application is at rest.

        Args:
            seconds: How many; they take no real time.

        Raises:
            ValueError: Time does not go backwards.
            NotAtRest: The application does not come to rest.
        """
        if seconds < 0:
            raise ValueError(f"advance({seconds!r}): time does not go backwards. Fix: give seconds of at least 0.")
        end = self._now + seconds
        await at_rest(self._timeout)
        while self._now < end:
            self._now = min(self._now + _STEP, end)
            self.glance()
            await at_rest(self._timeout)
            watch_of(self).inspect()
            await at_rest(self._timeout)

    def glance(self) -> None:
        """Have every session look whether its peer left, which it does every 0.1 s by itself."""
        watch_of(self).glance()
