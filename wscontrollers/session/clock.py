"""The time of sessions: the machine's, or one that a test moves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

SCOPE_KEY: Final = "wscontrollers.clock"
"""Where a handshake's ASGI scope carries another clock than the machine's."""


class Clock:
    """Seconds that only go forward, for idle and life times, rates, stalls and graces."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()


MACHINE: Final = Clock()


def clock_of(scope: Mapping[str, Any]) -> Clock:
    """The clock of a handshake: its own, or the machine's."""
    clock = scope.get(SCOPE_KEY)
    return clock if isinstance(clock, Clock) else MACHINE
