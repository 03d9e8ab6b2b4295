"""Testing an application without a server.

    with TestClient(app) as client, client.websocket_connect("/chat/tea") as session:
        session.send_text("hi")
        assert session.receive_text() == "hi"

A refused handshake raises `WebSocketDenialResponse` (`status_code`, `headers`, `json()`); what does not come in time raises
`ReceiveTimeout`, whose text lists what did arrive.
"""

from starlette.testclient import WebSocketDenialResponse

from .client import TestClient
from .session import EndpointStillRunning, ReceiveTimeout, WebSocketTestSession

__all__ = ["EndpointStillRunning", "ReceiveTimeout", "TestClient", "WebSocketDenialResponse", "WebSocketTestSession"]
