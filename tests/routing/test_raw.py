"""Plain endpoints of Starlette."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from wscontrollers import APIRouter, App, DeclarationError, WebSocket
from wscontrollers.routing.raw import adapter_of
from wscontrollers.testing import TestClient


async def endpoint(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close(4000)


async def more(given: str, websocket: WebSocket, *, option: int = 1) -> None:
    await endpoint(websocket)


@wraps(endpoint)
def wrapped(*args: Any) -> Any:
    return endpoint(*args)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await endpoint(WebSocket(scope, receive, send))


class Application:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await application(scope, receive, send)

    async def method(self, websocket: WebSocket) -> None:
        await endpoint(websocket)


class Endpoint(WebSocketEndpoint):
    async def on_connect(self, websocket: WebSocket) -> None:
        await endpoint(websocket)


class NoEndpoint:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def plain(websocket: WebSocket) -> None: ...


async def generator(websocket: WebSocket) -> Any:
    yield


async def injected(a: int, b: int) -> None: ...


async def nothing() -> None: ...


GOOD: list[Callable[..., Any]] = [endpoint, partial(more, "x"), wrapped, Application(), Application().method, Endpoint]
GOOD.append(Starlette(routes=[WebSocketRoute("/", endpoint)]))


@pytest.mark.parametrize("good", GOOD)
def test_what_starlette_calls_is_taken(good: Callable[..., Any]) -> None:
    """Async functions of the WebSocket, endpoint classes and applications."""
    app = App()
    app.add_websocket_route("/", good)
    with TestClient(app).websocket_connect("/") as session:
        assert session.receive()["code"] == 4000


BAD: list[tuple[Any, str]] = [
    (7, r"add_websocket_route\(\): 7 cannot be called\. Fix: give an async function"),
    (plain, r"plain \(.*\): it is not async, and the endpoint of a WebSocket has to be a coroutine function\. Fix: write"),
    (generator, "it is a generator, and the endpoint"),
    (injected, "it cannot be called with the WebSocket alone, and nothing is injected into a plain endpoint"),
    (more, "it cannot be called with the WebSocket alone"),
    (nothing, "it cannot be called with the WebSocket alone"),
    (application, r"Fix: take the WebSocket alone, or use websocket\(\), which injects; an ASGI application goes to mount\(\)"),
    (NoEndpoint, "no WebSocketEndpoint class and no ASGI application"),
    (partial(NoEndpoint, 1), "no WebSocketEndpoint class and no ASGI application"),
]


@pytest.mark.parametrize(("bad", "match"), BAD)
def test_what_could_not_be_called_is_refused_where_it_is_registered(bad: Any, match: str) -> None:
    """Not by a TypeError in its first session; the routes of Starlette are looked at in the same way."""
    router = APIRouter()
    with pytest.raises(DeclarationError, match=match):
        router.add_websocket_route("/", bad)
    assert router.routes == []
    if callable(bad):
        with pytest.raises(DeclarationError, match=match):
            App(routes=[WebSocketRoute("/", bad)])


def test_a_route_of_another_class_calls_its_endpoint_in_its_own_way() -> None:
    """As FastAPI's does, which injects."""

    class Injecting(WebSocketRoute):
        def __init__(self, path: str, endpoint: Any) -> None:
            super().__init__(path, partial(endpoint, "x"))
            self.endpoint = endpoint

    with TestClient(App(routes=[Injecting("/", more)])).websocket_connect("/") as session:
        assert session.receive()["code"] == 4000


def test_a_callable_without_a_signature_is_taken_at_its_word() -> None:
    """Nothing is known of it."""

    class Unknown:
        __signature__ = "none"

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    assert adapter_of(Unknown())
