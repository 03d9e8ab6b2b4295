"""The session: reading, outbox, handlers and the life of one accepted WebSocket."""

from .clock import Clock
from .contract import Contract
from .delivery import Delivery
from .ending import Ended
from .handlers import Handlers, check_handlers, handlers_of
from .holding import Holder
from .limits import DEFAULT_LIMITS, Limits
from .session import Session
from .wire import Wire

__all__ = [
    "DEFAULT_LIMITS",
    "Clock",
    "Contract",
    "Delivery",
    "Ended",
    "Handlers",
    "Holder",
    "Limits",
    "Session",
    "Wire",
    "check_handlers",
    "handlers_of",
]
