"""The session: reading, outbox, handlers and the life of one accepted WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazily import lazily

if TYPE_CHECKING:
    from .clock import Clock
    from .contract import Contract
    from .delivery import Delivery
    from .ending import Ended
    from .handlers import Handlers, check_handlers, handlers_of
    from .holding import Holder
    from .limits import DEFAULT_LIMITS, Limits
    from .past import way_past
    from .resuming.resume import Resume
    from .session import Session
    from .stalls import StallGuard, stall_guard
    from .stepping import server_of
    from .wire import Wire
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            ".clock": ["Clock"],
            ".contract": ["Contract"],
            ".delivery": ["Delivery"],
            ".ending": ["Ended"],
            ".handlers": ["Handlers", "check_handlers", "handlers_of"],
            ".holding": ["Holder"],
            ".limits": ["DEFAULT_LIMITS", "Limits"],
            ".past": ["way_past"],
            ".resuming.resume": ["Resume"],
            ".session": ["Session"],
            ".stepping": ["server_of"],
            ".stalls": ["StallGuard", "stall_guard"],
            ".wire": ["Wire"],
        },
    )

__all__ = [
    "DEFAULT_LIMITS",
    "Clock",
    "Contract",
    "Delivery",
    "Ended",
    "Handlers",
    "Holder",
    "Limits",
    "Resume",
    "Session",
    "StallGuard",
    "Wire",
    "check_handlers",
    "handlers_of",
    "server_of",
    "stall_guard",
    "way_past",
]
