"""The time, as a service: a test puts a stopped one in its place."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """Tells the time."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)
