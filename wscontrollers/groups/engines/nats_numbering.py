"""When the messages of a stream were published: what proves that none of them has expired unseen.

The offsets of a channel have holes, as all channels of a prefix share one numbering. So the oldest message that is there does
not tell whether there was one before it. But no message goes before its time: where the stream stood once is noted, and what
came behind that place after that moment is all there, if the moment is not longer ago than messages are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Final

_MOST: Final = 2048


def seconds_of(stamp: str) -> float:
    """A server's time, as RFC 3339 with up to nine places, in seconds since 1970."""
    whole, _, rest = stamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{rest or 0}")


class Past:
    """Where a stream stood, and when."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._times: list[float] = []

    def __len__(self) -> int:
        return len(self._places)

    def note(self, place: int, time: float) -> None:
        """At this time the stream's last message was the one with this number.

        Args:
            place: The number.
            time: The server's, in seconds.
        """
        if self._places and self._places[-1] == place:
            self._times[-1] = max(self._times[-1], time)
        elif not self._places or place > self._places[-1]:
            self._places.append(place)
            self._times.append(time)
            if len(self._places) > _MOST:
                # What is left is sound, and half as fine.
                del self._places[1:-1:2], self._times[1:-1:2]

    def after(self, place: int) -> float:
        """A time that all messages behind a place are younger than; minus infinity where nothing is known."""
        found = bisect_right(self._places, place)
        return self._times[found - 1] if found else float("-inf")
