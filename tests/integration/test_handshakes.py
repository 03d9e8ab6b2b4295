"""What a real peer sees of a session's beginning and end: the rows of the promises that concern handshakes."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.serving import serving
from wscontrollers import App, Denied, Depends, FirstMessage, Query, WebSocket, WebSocketException

WS_CLASSES = ["websockets-sansio", "wsproto"]
pytestmark = pytest.mark.parametrize("ws", WS_CLASSES)


def refused(address: str, path: str = "/", **options: object) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://{address}{path}", **options)  # type: ignore[arg-type]
    return caught.value


def receive_all(session: ClientConnection) -> None:
    while True:
        session.recv(timeout=5)


def close_of(address: str, path: str = "/", *sent: str | bytes) -> tuple[int, str]:
    with connect(f"ws://{address}{path}") as session:
        for frame in sent:
            session.send(frame)
        with pytest.raises(ConnectionClosed):
            receive_all(session)
        received = session.protocol.close_rcvd
    assert received is not None, "no close frame: the peer sees 1006"
    return received.code, received.reason


def test_denied_is_a_true_http_answer(ws: str) -> None:
    """`Denied` before the accept gives its status, headers and body to the peer."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        raise Denied(401, "Who are you?", {"WWW-Authenticate": "Bearer"})

    with serving(app, ws=ws) as address:
        response = refused(address).response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.body is not None
    assert json.loads(response.body) == {"detail": "Who are you?"}


def test_invalid_parameters_close_before_the_accept(ws: str) -> None:
    """Invalid parameters close with 1008 before the accept, which is a 403 on the wire."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, limit: Annotated[int, Query(le=3)]) -> None:
        await websocket.accept()

    with serving(app, ws=ws) as address:
        assert refused(address, "/?limit=4").response.status_code == 403


def test_invalid_parameters_can_be_answered_with_the_errors(ws: str) -> None:
    """With `invalid_parameters="answer"` the peer gets 422 and the errors, without what it sent."""
    app = App(invalid_parameters="answer")

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, limit: int) -> None:
        await websocket.accept()

    with serving(app, ws=ws) as address:
        response = refused(address, "/?limit=secret").response
    assert response.status_code == 422
    assert response.body is not None
    assert b"secret" not in response.body
    assert json.loads(response.body)["detail"][0]["loc"] == ["query", "limit"]


def test_returning_closes_with_1000(ws: str) -> None:
    """An endpoint that returns without closing ends its session with 1000, after its clean-ups."""
    app = App()

    async def farewell(websocket: WebSocket) -> AsyncIterator[None]:
        yield
        await websocket.send_text("bye")

    @app.websocket("/", dependencies=[Depends(farewell)])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()

    with serving(app, ws=ws) as address, connect(f"ws://{address}/") as session:
        assert session.recv(timeout=5) == "bye"
        with pytest.raises(ConnectionClosed):
            session.recv(timeout=5)
        assert session.protocol.close_rcvd is not None
        assert session.protocol.close_rcvd.code == 1000


def test_returning_without_an_answer_refuses(ws: str) -> None:
    """An endpoint that returns without accepting leaves nobody waiting: the handshake is refused."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        return

    with serving(app, ws=ws) as address:
        assert refused(address).response.status_code == 403


def test_bug_before_the_accept_is_500(ws: str, caplog: pytest.LogCaptureFixture) -> None:
    """A bug before the accept is HTTP 500 without detail, and logged once with an id."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR), serving(app, ws=ws) as address:
        response = refused(address, "/?token=hidden").response
    assert response.status_code == 500
    assert response.body is not None
    assert b"secret" not in response.body
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.name == "wscontrollers.session"
    assert record.getMessage().startswith("session ")
    assert "hidden" not in record.getMessage()


def test_bug_in_the_endpoint_is_1011(ws: str, caplog: pytest.LogCaptureFixture) -> None:
    """A bug after the accept closes with 1011 without detail; clean-ups see the exception; it is logged once."""
    seen: list[BaseException] = []
    app = App()

    async def watching() -> AsyncIterator[None]:
        try:
            yield
        except ZeroDivisionError as error:
            seen.append(error)
            raise

    @app.websocket("/", dependencies=[Depends(watching)])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR), serving(app, ws=ws) as address:
        assert close_of(address) == (1011, "Internal error")
    assert len(seen) == 1
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_websocket_exception_after_the_accept(ws: str) -> None:
    """`WebSocketException` after the accept closes with its code and reason."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise WebSocketException(4001, "enough")

    with serving(app, ws=ws) as address:
        assert close_of(address) == (4001, "enough")


def test_denied_after_the_accept_closes(ws: str) -> None:
    """After the accept no HTTP answer is possible any more: `Denied` closes with 1008."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Denied(403)

    with serving(app, ws=ws) as address:
        assert close_of(address)[0] == 1008


def test_foreign_origin_is_refused(ws: str) -> None:
    """A browser's page of another host gets 403 before anything runs; one of the same host and a peer without Origin pass."""
    calls: list[str] = []
    app = App()

    async def guard() -> None:
        calls.append("guard")

    @app.websocket("/", dependencies=[Depends(guard)])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()

    with serving(app, ws=ws) as address:
        assert refused(address, origin="http://evil.example").response.status_code == 403
        assert calls == []
        with connect(f"ws://{address}/", origin=f"http://{address}"):  # type: ignore[arg-type]
            pass
        assert close_of(address)[0] == 1000


def test_first_message_that_is_no_json_closes_with_1008(ws: str) -> None:
    """A first message that cannot be read closes with 1008 and a short reason."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, hello: Annotated[dict[str, int], FirstMessage()]) -> None:
        await websocket.send_json(hello)

    with serving(app, ws=ws) as address:
        assert close_of(address, "/", "{") == (1008, "first message: not JSON")
        assert close_of(address, "/", b"\xff") == (1008, "first message: not UTF-8")
        assert close_of(address, "/", '{"a": "b"}')[0] == 1008
        assert close_of(address, "/", '{"a": 1}')[0] == 1000


def test_unknown_path_is_refused(ws: str) -> None:
    """A path that no route takes is refused before the accept."""
    with serving(App(), ws=ws) as address:
        assert refused(address, "/nowhere").response.status_code == 403
