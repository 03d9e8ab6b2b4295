"""`Middleware` for the `middleware=` of an `App`."""

from __future__ import annotations

from typing import Any

from starlette import middleware as starlette_middleware

from wscontrollers import App, WebSocket
from wscontrollers.middleware import Middleware
from wscontrollers.testing import TestClient


def test_it_is_starlettes() -> None:
    """What is written for Starlette or FastAPI fits."""
    assert Middleware is starlette_middleware.Middleware


def test_it_stands_around_sessions_in_the_order_of_the_list() -> None:
    """The first one is outermost, and gets its options."""
    passed: list[str] = []

    class Noting:
        def __init__(self, app: Any, *, name: str) -> None:
            self.app = app
            self.name = name

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            passed.append(self.name)
            await self.app(scope, receive, send)

    app = App(middleware=[Middleware(Noting, name="outer"), Middleware(Noting, name="inner")])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(passed)

    with TestClient(app).websocket_connect("/") as session:
        assert session.receive_json() == ["outer", "inner"]
