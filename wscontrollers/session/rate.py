"""How many messages may come in: a token bucket."""

from __future__ import annotations


class TokenBucket:
    """Tokens that come back with time, up to a number.

    Args:
        rate: Tokens a second.
        burst: How many there are at most, and at the beginning.
        now: The clock's seconds.
    """

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._last = now

    def take(self, now: float) -> bool:
        """Take a token; False if there is none.

        Args:
            now: The clock's seconds.
        """
        tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True
