"""What the client adds, and what it keeps of Starlette's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from wscontrollers.testing import (
    TestClient,
    WebSocketTestSession,
)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


@pytest.mark.parametrize("raises", [True, False])
def test_the_application_is_told_whether_to_raise(client_of: Callable[..., TestClient], raises: bool) -> None:
    """Each handshake's scope says so, for an application that answers its own bugs."""
    told: list[bool] = []

    async def endpoint(websocket: WebSocket) -> None:
        told.append(websocket.scope["wscontrollers.raise_exceptions"])
        await websocket.accept()

    with client_of(endpoint, raise_server_exceptions=raises).websocket_connect("/"):
        pass
    assert told == [raises]


def test_text_bytes_and_json_go_both_ways(client_of: Callable[..., TestClient]) -> None:
    """The verbs of Starlette's session do what they did."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            await websocket.send({**message, "type": "websocket.send"})

    with client_of(endpoint).websocket_connect("/") as session:
        session.send_text("text")
        session.send_bytes(b"bytes")
        session.send_json({"a": 1})
        session.send_json([2], mode="binary")
        assert session.receive_text() == "text"
        assert session.receive_bytes() == b"bytes"
        assert session.receive_json() == {"a": 1}
        assert session.receive_json(mode="binary") == [2]


def test_another_kind_of_frame_is_told(client_of: Callable[..., TestClient]) -> None:
    """Text where bytes are awaited fails with what did arrive."""
    with client_of(echo).websocket_connect("/") as session:
        session.send_text("hi")
        with pytest.raises(AssertionError, match=r"a bytes frame was awaited, but another kind arrived.(\n|.)*2\. text 'hi'"):
            session.receive_bytes()


def test_the_accept_is_readable(client_of: Callable[..., TestClient]) -> None:
    """Subprotocol and headers of the accept."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept(websocket.scope["subprotocols"][1], headers=[(b"x-room", b"tea")])

    with client_of(endpoint).websocket_connect("/", ["a", "b"]) as session:
        assert session.accepted_subprotocol == "b"
        assert session.extra_headers == [(b"x-room", b"tea")]


def test_headers_are_sent_and_left_alone(client_of: Callable[..., TestClient]) -> None:
    """Headers may be a mapping or pairs that repeat one; what was given is not changed."""
    seen: list[list[str]] = []

    async def endpoint(websocket: WebSocket) -> None:
        seen.append(websocket.headers.getlist("x-tag"))
        await websocket.accept()

    client, headers = client_of(endpoint), {"x-tag": "1"}
    with client.websocket_connect("/", headers=headers):
        pass
    with client.websocket_connect("/", headers=[("x-tag", "1"), ("x-tag", "2")]):
        pass
    assert seen == [["1"], ["1", "2"]]
    assert headers == {"x-tag": "1"}


@pytest.mark.parametrize(
    ("base", "scheme", "host"),
    [
        ("http://testserver", "ws", "testserver"),
        ("https://example.org", "wss", "example.org"),
        ("http://localhost:8000", "ws", "localhost:8000"),
    ],
)
def test_the_handshake_goes_to_the_base_url(client_of: Callable[..., TestClient], base: str, scheme: str, host: str) -> None:
    """Scheme and host are those that the client's HTTP requests have."""
    seen: list[tuple[str, str]] = []

    async def endpoint(websocket: WebSocket) -> None:
        seen.append((websocket.scope["scheme"], websocket.headers["host"]))
        await websocket.accept()

    with client_of(endpoint, base_url=base).websocket_connect("/"):
        pass
    assert seen == [(scheme, host)]


def test_cookies_query_and_peer_reach_the_endpoint(client_of: Callable[..., TestClient]) -> None:
    """The client's cookies and address, the query of the URL and of `params`."""
    seen: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        seen.extend([websocket.cookies, websocket.query_params["q"], websocket.client])
        await websocket.accept()

    with client_of(endpoint, cookies={"a": "b"}, client=("192.0.2.1", 7)).websocket_connect("/", params={"q": "1"}):
        pass
    assert seen == [{"a": "b"}, "1", ("192.0.2.1", 7)]


def test_lifespan_http_and_sessions_share_one_application(client_of: Callable[..., TestClient]) -> None:
    """Inside `with client` the application has started, and all sessions run in one event loop."""
    phases: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        phases.append("start")
        yield
        phases.append("stop")

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("page")

    app = Starlette(routes=[WebSocketRoute("/", echo), Route("/page", page)], lifespan=lifespan)
    with TestClient(app) as client, client.websocket_connect("/") as one, client.websocket_connect("/") as two:
        assert client.get("/page").text == "page"
        for session in (two, one):
            session.send_text("hi")
            assert session.receive_text() == "hi"
    assert phases == ["start", "stop"]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})


class Bare:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await bare(scope, receive, send)


@pytest.mark.parametrize("app", [bare, Bare()])
def test_any_asgi_application_is_taken(app: ASGIApp) -> None:
    """A function or an object, no framework needed."""
    with TestClient(app).websocket_connect("/") as session:
        assert isinstance(session, WebSocketTestSession)


def test_the_client_reaches_container_and_overrides() -> None:
    """`client.container` and `client.dependency_overrides` are the application's own, whenever they are replaced."""

    class App(Starlette):
        container = SimpleNamespace()
        dependency_overrides: dict[Any, Any] = {}

    app = App()
    client = TestClient(app)

    assert client.container is app.container
    app.dependency_overrides = {bare: echo}
    assert client.dependency_overrides is app.dependency_overrides


@pytest.mark.parametrize("name", ["container", "dependency_overrides"])
def test_an_application_without_them_is_named(name: str) -> None:
    """The error says which application has none, and how to mend it."""
    with pytest.raises(AttributeError, match=rf"TestClient.{name}: the application, of type Starlette, has no {name}. Fix: "):
        getattr(TestClient(Starlette()), name)


def test_cookies_of_one_handshake() -> None:
    """Cookies given to `websocket_connect` are sent with that handshake, beside the client's own, and with no other."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_json(websocket.cookies)
        await websocket.close()

    client = TestClient(app, cookies={"a": "1"})
    with client.websocket_connect("/", cookies={"b": "2"}) as session:
        assert session.receive_json() == {"a": "1", "b": "2"}
    with client.websocket_connect("/") as session:
        assert session.receive_json() == {"a": "1"}
