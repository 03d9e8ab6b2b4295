"""What a client is told when the handling of its message fails."""

from __future__ import annotations

from secrets import token_hex

from starlette.types import Scope

from ..exceptions import EngineError, HTTPException
from ..logs import logger_of
from ..messages import ErrorFrame, Ref, code_of
from ..messages.errors import FRAMEWORK_CODES
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
    declared = next((cls for cls in type(error).__mro__ if cls in handler.mark.raises), None)
    if declared is not None:
        # What an engine says is for operators: addresses, and what to do about it.
        text = "try again later" if isinstance(error, EngineError) else text_of(error)
        return ErrorFrame(_code(type(error), declared), text, re=ref)
    if isinstance(error, HandlerTimeoutError):
        return ErrorFrame("timeout", "it took too long", re=ref)
    if isinstance(error, HTTPException) and error.status_code < 500:  # those say whose fault it is, and that it is not ours
        return ErrorFrame("forbidden", written(str(error.detail)), re=ref)
    identity = token_hex(8)
    logger.error("error %s in session %s: handler %s failed", identity, session, handler.name, exc_info=error)
    report(scope, error)
    return ErrorFrame("internal", "internal error", re=ref, id=identity)


def _code(cls: type[Exception], declared: type[Exception]) -> str:
    """The code of an exception: that of the class that is declared, unless its own says another one that is nobody's."""
    own: object = getattr(cls, "code", None)
    return own if isinstance(own, str) and own and own not in FRAMEWORK_CODES else code_of(declared)


def text_of(error: BaseException) -> str:
    """The text of an exception for the client; none where it has none that could be told."""
    try:
        return written(str(error))
    except Exception:
        logger.exception("the text of a %s could not be made", type(error).__name__)
        return ""


def written(text: str) -> str:
    """A text as it can be written: surrogates, as in names of files that are no UTF-8, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def cancelled(ref: Ref | None) -> ErrorFrame:
    """The error of a handler that was cancelled."""
    return ErrorFrame("cancelled", "it was cancelled", re=ref)
