"""What processes tell each other: to end sessions, wherever they are."""

from __future__ import annotations

from time import time
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import to_json

from ..logs import logger_of
from ..websockets import may_be_sent
from .names import SESSION, USER

logger = logger_of("wscontrollers.groups")


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End sessions.

    Attributes:
        who: "session:id" or "user:id".
        code: The close code.
        at: When it was given, in seconds since 1970.
        reason: The reason that goes with it.
    """

    who: Annotated[str, Field(pattern=f"^({SESSION}|{USER})")]
    code: Annotated[int, Field(ge=1000, le=4999)]
    at: float
    reason: str = ""

    def encode(self) -> bytes:
        """As bytes."""
        return to_json(self)


def order_to_end(who: str, code: int, reason: str) -> bytes:
    """The order to end sessions (see `Disconnect`), as bytes.

    Raises:
        ValueError: A close frame must not hold the code: each session would fail at its end, in whatever process it is.
    """
    if not may_be_sent(code):
        raise ValueError(
            f"Groups.disconnect(): {code} is no code that a close frame may hold. Fix: use one of 4000 to 4999 for reasons of "
            "your own, or one of RFC 6455, section 7.4, that is meant to be sent."
        )
    return Disconnect(who, code, time(), reason).encode()


_ADAPTER: TypeAdapter[Disconnect] = TypeAdapter(Disconnect)


def order_in(data: bytes) -> Disconnect | None:
    """What another process, or this one, asks of all; None, and a line in the log, if it was not understood."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError:
        logger.warning("groups: an order of another process was not understood")
        return None
