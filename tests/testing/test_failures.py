"""How a test of a session fails."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers
from starlette.websockets import WebSocketDisconnect

from wscontrollers import testing
from wscontrollers.messages import ErrorFrame
from wscontrollers.testing import ErrorAnswer, HandshakeRefused, Refusal, SessionClosed
from wscontrollers.testing.failures import patience

FAILURES = [
    "EndpointStillRunning",
    "ErrorAnswer",
    "HandshakeRefused",
    "LeftoverFrames",
    "LifespanStillRunning",
    "NotAtRest",
    "ReceiveTimeout",
    "SendTimeout",
    "SessionClosed",
    "UnexpectedFrame",
]


@pytest.mark.parametrize("name", FAILURES)
def test_each_is_a_failure_of_the_test(name: str) -> None:
    """pytest shows an `AssertionError` as a failure, with its text and no more."""
    assert issubclass(getattr(testing, name), AssertionError)


def test_a_close_is_starlettes_disconnect_too() -> None:
    """Habits from Starlette's client work; the text is that of a failure."""
    closed = SessionClosed(4000, "enough", "the text")
    assert isinstance(closed, WebSocketDisconnect)
    assert (closed.code, closed.reason, str(closed)) == (4000, "enough", "the text")


def test_answers_come_with_the_failure() -> None:
    """To look into them."""
    refusal, error = Refusal(401, Headers(), b""), ErrorFrame("x", "y")
    assert HandshakeRefused(refusal, "text").refusal is refusal
    assert ErrorAnswer(error, "text").error is error


@pytest.mark.parametrize(("timeout", "seconds"), [(0.01, 1.0), (3.0, 3.0), (None, 5.0)])
def test_an_endpoint_has_at_least_a_second_to_end(timeout: float | None, seconds: float) -> None:
    """A short time-out is about frames, not about clean-ups; who waits for ever does not wait for ever for an end."""
    assert patience(timeout) == seconds
