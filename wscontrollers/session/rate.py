"""How many messages may come in: a token bucket."""

from __future__ import annotations


class TokenBucket:
    """Tokens that come back with time, up to a number.

    Args:
        rate: Tokens a second.
        burst: How many there are at most, and at the beginning.
        now: The clock's seconds.
    """

    __slots__ = ("_ahead", "_full_at", "_interval")

    # Kept as the moment at which the bucket is full again (the generic cell rate algorithm of ITU-T I.371): one number, and
    # no arithmetic but an addition for each token.
    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._interval = 1 / rate
        self._ahead = (burst - 0.5) / rate  # half a token, so that rounding neither adds one nor takes one
        self._full_at = now

    def take(self, now: float) -> bool:
        """Take a token; False if there is none.

        Args:
            now: The clock's seconds.
        """
        full_at = self._full_at
        if full_at < now:
            full_at = now
        elif full_at - now > self._ahead:
            return False
        self._full_at = full_at + self._interval
        return True
