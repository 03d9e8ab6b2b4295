"""What a client is told when the handling of its message fails."""

from __future__ import annotations

from secrets import token_hex

from starlette.types import Scope

from ..exceptions import EngineError, HTTPException
from ..logs import logger_of
from ..messages import ErrorFrame, Ref, code_of
from ..reports import report
from .handlers import Handler

logger = logger_of("wscontrollers.session")


class HandlerTimeoutError(Exception):
    """A handler took longer than it may."""


def error_of(error: Exception, handler: Handler, ref: Ref | None, session: str, scope: Scope) -> ErrorFrame:
    """The error frame for an exception; what is no part of the protocol is logged in full, and not told.

    Args:
        error: What the handler, or what it depends on, raised.
        handler: Which handler it was.
        ref: The reference of the message.
        session: The id of the session, for the log.
        scope: Its ASGI scope, where a test may want the exception.
    """
    if isinstance(error, handler.mark.raises):
        # What an engine says is for operators: addresses, and what to do about it.
        text = "try again later" if isinstance(error, EngineError) else str(error)
        return ErrorFrame(code_of(type(error)), text, re=ref)
    if isinstance(error, HandlerTimeoutError):
        return ErrorFrame("timeout", "it took too long", re=ref)
    if isinstance(error, HTTPException) and error.status_code < 500:  # those say whose fault it is, and that it is not ours
        return ErrorFrame("forbidden", str(error.detail), re=ref)
    identity = token_hex(8)
    logger.error("error %s in session %s: handler %s failed", identity, session, handler.name, exc_info=error)
    report(scope, error)
    return ErrorFrame("internal", "internal error", re=ref, id=identity)


def cancelled(ref: Ref | None) -> ErrorFrame:
    """The error of a handler that was cancelled."""
    return ErrorFrame("cancelled", "it was cancelled", re=ref)
