"""The layers of an app: middleware between the handlers inside and the last resort outside."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import JSONResponse

from wscontrollers import App, Middleware, WebSocket, WebSocketDisconnect
from wscontrollers.testing import TestClient, WebSocketDenialResponse


class Known(Exception):
    pass


class Watching:
    """Middleware that notes what it sees of the application's exceptions."""

    seen: list[str]

    def __init__(self, app: Any, seen: list[str]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.seen.append(type(error).__name__)
            raise


class Passing:
    """Middleware that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def test_middleware_sees_unhandled_exceptions_only() -> None:
    """Middleware is outside of the handlers: a handled exception is a frame to it, an unhandled one an exception."""
    seen: list[str] = []

    async def handle(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(4000)

    app = App(middleware=[Middleware(Watching, seen)], exception_handlers={Known: handle})

    @app.websocket("/known")
    async def known(websocket: WebSocket) -> None:
        raise Known

    @app.websocket("/unknown")
    async def unknown(websocket: WebSocket) -> None:
        raise KeyError

    with TestClient(app, raise_server_exceptions=False) as client:
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect("/known").__enter__()
        assert seen == []
        with pytest.raises(WebSocketDenialResponse):
            client.websocket_connect("/unknown").__enter__()
        assert seen == ["KeyError"]


def test_middleware_can_answer_an_exception_itself() -> None:
    """An exception that middleware catches and answers reaches nobody else."""

    class Closing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.app(scope, receive, send)
            except Known:
                await send({"type": "websocket.close", "code": 4007, "reason": "middleware"})

    app = App(middleware=[Middleware(Closing)])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        raise Known

    with TestClient(app) as client, pytest.raises(WebSocketDisconnect) as caught:
        client.websocket_connect("/").__enter__()
    assert caught.value.code == 4007


def test_an_exception_of_middleware_is_answered() -> None:
    """What middleware raises before any route ran becomes a 500."""

    class Broken:
        def __init__(self, app: Any) -> None: ...

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket":
                raise Known
            await send({"type": "lifespan.startup.complete"})

    app = App(middleware=[Middleware(Broken)])
    with pytest.raises(WebSocketDenialResponse) as caught:
        TestClient(app, raise_server_exceptions=False).websocket_connect("/").__enter__()
    assert caught.value.status_code == 500


def test_a_mounted_app_uses_its_own_handlers_first() -> None:
    """A mounted app answers with its own handlers; what it does not handle reaches those of the app around it."""

    def closing(code: int) -> Any:
        async def handle(websocket: WebSocket, error: Exception) -> None:
            await websocket.close(code)

        return handle

    inner = App(exception_handlers={Known: closing(4001)})

    @inner.websocket("/known")
    async def known(websocket: WebSocket) -> None:
        raise Known

    @inner.websocket("/other")
    async def other(websocket: WebSocket) -> None:
        raise KeyError

    app = App(exception_handlers={Known: closing(4002), KeyError: closing(4003)})
    app.mount("/inner", inner)
    with TestClient(app, raise_server_exceptions=False) as client:
        for path, code in (("known", 4001), ("other", 4003)):
            with pytest.raises(WebSocketDisconnect) as caught:
                client.websocket_connect(f"/inner/{path}").__enter__()
            assert caught.value.code == code


def test_http_keeps_starlettes_handlers() -> None:
    """For HTTP the layers are Starlette's: a handler for `Exception` answers, statuses have theirs."""

    async def broken(request: Any) -> Any:
        raise KeyError

    app = App(exception_handlers={Exception: lambda request, error: JSONResponse({"broken": True}, 500)})
    app.add_route("/broken", broken)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/broken").json() == {"broken": True}
        assert client.get("/nowhere").json() == {"detail": "Not Found"}


@pytest.mark.parametrize("middleware", [[], [Middleware(Passing)]])
def test_handlers_are_the_same_with_and_without_middleware(middleware: list[Middleware]) -> None:
    """Where no middleware is in between, the app does itself what the inner layer does; nobody can tell."""

    async def handle(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(4001)

    app = App(middleware=middleware, exception_handlers={Known: handle})

    @app.websocket("/{kind}")
    async def endpoint(websocket: WebSocket, kind: str) -> None:
        await websocket.accept()
        raise Known if kind == "known" else KeyError

    codes: list[int] = []
    with TestClient(app, raise_server_exceptions=False) as client:
        for kind in ("known", "other"):
            with client.websocket_connect(f"/{kind}") as session, pytest.raises(WebSocketDisconnect) as caught:
                session.receive_text()
            codes.append(caught.value.code)
    assert codes == [4001, 1011]
