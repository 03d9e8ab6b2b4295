"""What JetStream answers to a request, and how it refuses one."""

from __future__ import annotations

import json
from typing import Any, Final

from nats.aio.msg import Msg

from ...exceptions import EngineDownError, EngineError
from .nats_wire import NOBODY, status_of

MISSING: Final = 10059
"""JetStream's code for a stream that is not there."""
_NO_PLACE: Final = 10005


class NobodyError(EngineDownError):
    """Nobody takes a request: there is no JetStream, or no stream for a subject."""


class GoneError(NobodyError):
    """JetStream is there, and the stream that is asked for is not, or not yet."""


def answer_of(message: Msg, known: tuple[int, ...] = ()) -> Any:
    """What JetStream answered.

    Raises:
        EngineDownError: Nobody takes such requests, or not now.
        EngineError: It is refused.
    """
    if status_of(message) == NOBODY:
        raise NobodyError("JetStream does not answer")
    answer = json.loads(message.data)
    error = answer.get("error")
    if error is None:
        return answer
    if error.get("err_code") in known:
        return None
    if error.get("err_code") == MISSING:
        raise GoneError(f"JetStream says: {error.get('description')}")
    if error.get("code") == 503 or error.get("err_code") == _NO_PLACE:
        raise EngineDownError(f"JetStream says: {error.get('description')}")
    raise EngineError(f"NatsEngine: JetStream says: {error.get('description')}. Fix: see what the server allows this account.")
