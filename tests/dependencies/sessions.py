"""Sessions that send one value as JSON and end: what the value of a dependency, or the answer to a bad handshake, is seen by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse

from wscontrollers import App, Depends, WebSocket, WebSocketRequestValidationError
from wscontrollers.testing import TestClient, WebSocketDenialResponse


def handshake(path: str = "/", **scope: Any) -> WebSocket:
    """A handshake on which nothing is received or sent, for plans that are run by themselves."""

    async def unused(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    defaults = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "path_params": {}}
    return WebSocket({**defaults, **scope}, unused, unused)


def sending(function: Callable[..., Any], path: str = "/", **options: Any) -> App:
    """An app whose one session sends what a dependency gives; `options` are the app's."""

    async def endpoint(websocket: WebSocket, value: Any = Depends(function)) -> None:
        await websocket.accept()
        await websocket.send_json(value)

    app = App(**options)
    app.add_api_websocket_route(path, endpoint)
    return app


def sent(app: App, url: str = "/", *, cookies: dict[str, str] | None = None, **options: Any) -> Any:
    """The first frame of a session; `options` are those of `websocket_connect`."""
    with TestClient(app, cookies=cookies).websocket_connect(url, **options) as session:
        return session.receive_json()


def errors(app: App, url: str = "/", *, cookies: dict[str, str] | None = None, **options: Any) -> list[dict[str, Any]]:
    """The errors of a handshake with invalid parameters, as its exception holds them."""

    async def tell(websocket: WebSocket, error: WebSocketRequestValidationError) -> JSONResponse:
        told = [{**detail, "ctx": None} for detail in error.errors()]
        return JSONResponse(told, 422)

    app.add_exception_handler(WebSocketRequestValidationError, tell)
    with pytest.raises(WebSocketDenialResponse) as refused, TestClient(app, cookies=cookies).websocket_connect(url, **options):
        pass
    found: list[dict[str, Any]] = refused.value.json()
    return found


def places(app: App, url: str = "/", **options: Any) -> list[tuple[str, ...]]:
    """The locations of those errors, with their types behind them."""
    return [(*map(str, error["loc"]), error["type"]) for error in errors(app, url, **options)]
