"""How a test of a session fails; each is an `AssertionError`, whose text shows what went over the wire."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ..exceptions import WebSocketDisconnect
from ..messages import ErrorFrame

if TYPE_CHECKING:
    from .answers import Refusal

PATIENCE = 1.0
"""Seconds an endpoint has at least to end: a short time-out is about frames, not about clean-ups."""


class Timeout(Enum):
    """The default of every `timeout=` here."""

    CLIENT = "the client's time-out"


class ReceiveTimeout(TimeoutError, AssertionError):  # noqa: N818 - says what happened, as Starlette's WebSocketDisconnect
    """Nothing arrived in time; the text lists what did arrive on the session. The session stays usable."""


class SendTimeout(TimeoutError, AssertionError):  # noqa: N818 - see above
    """The server did not take a frame in time: it does not read."""


class EndpointStillRunning(TimeoutError, AssertionError):  # noqa: N818 - see above
    """The test left the session, but its endpoint ended neither by itself nor when it was cancelled."""


class LifespanStillRunning(TimeoutError, AssertionError):  # noqa: N818 - see above
    """The application did not start, or did not shut down, in time."""


class UnexpectedFrame(AssertionError):  # noqa: N818 - see above
    """Something else arrived than the test expected."""


class ErrorAnswer(AssertionError):  # noqa: N818 - see above
    """An error frame answered where the test expected something else.

    Attributes:
        error: The frame: `code`, `message`, `errors`, `id`.
    """

    def __init__(self, error: ErrorFrame, text: str) -> None:
        super().__init__(text)
        self.error = error


class LeftoverFrames(AssertionError):  # noqa: N818 - see above
    """The test left a session on which frames lay that it never received."""


class SessionClosed(WebSocketDisconnect, AssertionError):  # noqa: N818 - see above
    """The application closed the session where the test expected a frame.

    Attributes:
        code: The code of the close.
        reason: Its reason.
    """

    def __init__(self, code: int, reason: str, text: str) -> None:
        super().__init__(code, reason)
        self.args = (text,)


class HandshakeRefused(AssertionError):  # noqa: N818 - see above
    """The application refused a handshake that the test expected to be accepted.

    Attributes:
        refusal: Its HTTP answer.
    """

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal


def patience(timeout: float | None) -> float:
    """Seconds for an endpoint to end, where each wait of its session may take `timeout`."""
    return 5.0 if timeout is None else max(timeout, PATIENCE)
