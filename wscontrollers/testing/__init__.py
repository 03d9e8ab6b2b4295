"""Testing an application without a server, in a synchronous test or an asynchronous one.

    with TestClient(app) as client, client.websocket_connect("/chat/tea") as session:
        session.send_text("hi")
        assert session.receive_text() == "hi"

    async with AsyncTestClient(app) as client, client.connect("/chat/tea") as session:
        await session.send_text("hi")
        assert await session.receive_text() == "hi"

A refused handshake raises `WebSocketDenialResponse` (`status_code`, `headers`, `json()`) in the first, and is expected with
`expect_refused(401)` in the second; what does not come in time raises `ReceiveTimeout`, whose text lists what went over the wire.
"""

from typing import TYPE_CHECKING

from .answers import Refusal
from .async_client import AsyncTestClient
from .async_session import AsyncTestSession
from .clock import VirtualClock
from .connecting import Connecting
from .failures import (
    EndpointStillRunning,
    ErrorAnswer,
    HandshakeRefused,
    LeftoverFrames,
    LifespanStillRunning,
    ReceiveTimeout,
    SendTimeout,
    SessionClosed,
    UnexpectedFrame,
)
from .rest import NotAtRest, at_rest

if TYPE_CHECKING:
    from starlette.testclient import WebSocketDenialResponse

    from .client import TestClient
    from .session import WebSocketTestSession

__all__ = [
    "AsyncTestClient",
    "AsyncTestSession",
    "Connecting",
    "EndpointStillRunning",
    "ErrorAnswer",
    "HandshakeRefused",
    "LeftoverFrames",
    "LifespanStillRunning",
    "NotAtRest",
    "ReceiveTimeout",
    "Refusal",
    "SendTimeout",
    "SessionClosed",
    "TestClient",
    "UnexpectedFrame",
    "VirtualClock",
    "WebSocketDenialResponse",
    "WebSocketTestSession",
    "at_rest",
]

_SYNCHRONOUS = {
    "TestClient": "wscontrollers.testing.client",
    "WebSocketTestSession": "wscontrollers.testing.session",
    "WebSocketDenialResponse": "starlette.testclient",
}


def __getattr__(name: str) -> object:
    # Starlette's client needs httpx2, which the asynchronous half and the pytest plugin must do without.
    if name not in _SYNCHRONOUS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_SYNCHRONOUS[name]), name)
