"""What a test sees of the application: its frames, refusals, ends and bugs."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from wscontrollers.testing import (
    TestClient,
    WebSocketDenialResponse,
)


def test_an_exception_surfaces_at_the_line_that_waits(client_of: Callable[..., TestClient]) -> None:
    """The test fails where it waits, with the endpoint's own traceback; leaving does not raise it again."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        raise ValueError("a bug")

    with client_of(endpoint).websocket_connect("/") as session:
        session.send_text("go")
        with pytest.raises(ValueError, match="a bug") as raised:
            session.receive_text()
        with pytest.raises(ValueError, match="a bug"):
            session.receive_text()

    assert "endpoint" in [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]


def test_frames_before_an_exception_are_received_first(client_of: Callable[..., TestClient]) -> None:
    """What the endpoint sent before its bug is not lost."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("first")
        raise ValueError

    with client_of(endpoint).websocket_connect("/") as session:
        assert session.receive_text() == "first"
        with pytest.raises(ValueError):  # noqa: PT011 - the endpoint's own
            session.receive_text()


def test_an_exception_before_the_accept_surfaces_at_the_connect(client_of: Callable[..., TestClient]) -> None:
    """`with client.websocket_connect(...)` raises what the endpoint raised."""

    async def endpoint(websocket: WebSocket) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"), client_of(endpoint).websocket_connect("/"):
        pass


def test_an_exception_that_nobody_awaited_surfaces_at_the_end(client_of: Callable[..., TestClient]) -> None:
    """A bug in the clean-up fails the test that leaves, as Starlette's client has it."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        raise ValueError("a bug in the clean-up")

    with pytest.raises(ValueError, match="a bug in the clean-up"), client_of(endpoint).websocket_connect("/"):
        pass


def test_a_bug_that_leaving_stirred_up_does_not_hide_the_failure(client_of: Callable[..., TestClient]) -> None:
    """The test's own failure stays, with a note of the other."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    with pytest.raises(AssertionError) as failed, client_of(endpoint).websocket_connect("/"):
        raise AssertionError("the test's own")

    assert str(failed.value) == "the test's own"
    assert "WebSocketDisconnect" in failed.value.__notes__[0]


def test_a_bug_of_the_endpoint_explains_a_failure(client_of: Callable[..., TestClient]) -> None:
    """What the endpoint raised before the test left is the cause, and so is what the test shows."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause") as raised, client_of(endpoint).websocket_connect("/") as session:
        session.receive_text()
    assert isinstance(raised.value.__context__, WebSocketDisconnect)


def test_a_failure_inside_the_endpoint_is_a_failure_of_the_test(client_of: Callable[..., TestClient]) -> None:
    """`pytest.fail()` in an endpoint reaches the test."""

    async def endpoint(websocket: WebSocket) -> None:
        pytest.fail("never to be called")

    with pytest.raises(pytest.fail.Exception, match="never to be called"), client_of(endpoint).websocket_connect("/"):
        pass


def test_a_refusal_is_readable(client_of: Callable[..., TestClient]) -> None:
    """Status, headers and body of a denial response are those of an HTTP answer."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.send_denial_response(JSONResponse({"detail": "who?"}, 401, {"www-authenticate": "Bearer"}))

    with pytest.raises(WebSocketDenialResponse) as denied, client_of(endpoint).websocket_connect("/"):
        pass

    assert (denied.value.status_code, denied.value.headers["www-authenticate"]) == (401, "Bearer")
    assert denied.value.json() == {"detail": "who?"}


def test_a_refusal_may_leave_out_what_asgi_lets_it(client_of: Callable[..., TestClient]) -> None:
    """Headers and body are optional in ASGI's messages."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.send({"type": "websocket.http.response.start", "status": 403})
        await websocket.send({"type": "websocket.http.response.body"})

    with pytest.raises(WebSocketDenialResponse) as denied, client_of(endpoint).websocket_connect("/"):
        pass
    assert (denied.value.status_code, denied.value.content) == (403, b"")


def test_a_refusal_without_its_end_is_cut(client_of: Callable[..., TestClient]) -> None:
    """An application that ends in the middle of its answer does not hold up the test."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.send({"type": "websocket.http.response.start", "status": 403})
        await websocket.send({"type": "websocket.http.response.body", "body": b"half", "more_body": True})

    with pytest.raises(WebSocketDenialResponse) as denied, client_of(endpoint).websocket_connect("/"):
        pass
    assert denied.value.content == b"half"


def test_a_close_before_the_accept_is_a_disconnect(client_of: Callable[..., TestClient]) -> None:
    """Code and reason are those of the close."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.close(1008, "not you")

    with pytest.raises(WebSocketDisconnect) as refused, client_of(endpoint).websocket_connect("/"):
        pass
    assert (refused.value.code, refused.value.reason) == (1008, "not you")


def test_a_close_stays(client_of: Callable[..., TestClient]) -> None:
    """Behind a close nothing comes: each further receive tells of it at once."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")

    with client_of(endpoint).websocket_connect("/") as session:
        for _ in range(2):
            with pytest.raises(WebSocketDisconnect) as closed:
                session.receive_text()
            assert (closed.value.code, closed.value.reason) == (4000, "enough")


@pytest.mark.parametrize(("fails", "how"), [(False, "returned"), (True, "raised ValueError")])
def test_without_a_close_the_peer_sees_1006(client_of: Callable[..., TestClient], fails: bool, how: str) -> None:
    """An application that ends without a close looks as it does behind a server; the test says why."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        if fails:
            raise ValueError

    with client_of(endpoint, raise_server_exceptions=False).websocket_connect("/") as session:
        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()
        assert (closed.value.code, closed.value.reason) == (1006, f"the application {how} without a close")


@pytest.mark.parametrize("fails", [False, True])
def test_without_an_answer_the_peer_sees_500(client_of: Callable[..., TestClient], fails: bool) -> None:
    """An application that ends before it answers the handshake looks as it does behind a server."""

    async def endpoint(websocket: WebSocket) -> None:
        if fails:
            raise ValueError

    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        client_of(endpoint, raise_server_exceptions=False).websocket_connect("/"),
    ):
        pass
    assert denied.value.status_code == 500
