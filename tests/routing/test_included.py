"""The place of an included router: in the list of another router, and in one of Starlette's."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, NoMatchFound, Route

from wscontrollers import APIRouter, App, Depends, WebSocket, WebSocketDisconnect, WebSocketException
from wscontrollers.testing import TestClient


async def endpoint(websocket: WebSocket, room: str) -> None:
    await websocket.accept()
    await websocket.send_text(room)


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("page")


async def members_only(token: str = "") -> None:
    if token != "t":
        raise WebSocketException(4003)


def outer() -> APIRouter:
    """A guarded router that includes another one."""
    inner = APIRouter(routes=[Route("/page", page), Mount("/sub", routes=[Route("/page", page)])])
    inner.add_api_websocket_route("/{room}", endpoint)
    router = APIRouter(dependencies=[Depends(members_only)])
    router.include_router(inner, prefix="/in")
    return router


def first(app: Any, path: str) -> str | int:
    """The first text, or the code of the close."""
    try:
        with TestClient(app).websocket_connect(path) as session:
            return session.receive_text()
    except WebSocketDisconnect as error:
        return error.code


@pytest.mark.parametrize("serve", [lambda routes: Starlette(routes=routes), lambda routes: App(routes=routes)])
def test_it_serves_in_any_list_of_routes(serve: Any) -> None:
    """With prefix, parameters and guards, and with the HTTP routes of the included router."""
    app = serve(outer().routes)
    assert [first(app, "/in/tea?token=t"), first(app, "/in/tea")] == ["tea", 4003]
    client = TestClient(app)
    assert [client.get(path).text for path in ("/in/page", "/in/sub/page")] == ["page", "page"]
    assert [client.post("/in/page").status_code, client.get("/in/none").status_code] == [405, 404]


def test_what_is_included_later_is_live_there_too() -> None:
    """The router tells each list that holds its place of a new route."""
    inner, router = APIRouter(), APIRouter()
    router.include_router(inner, prefix="/in")
    app = Starlette(routes=router.routes)
    other = App(routes=list(router.routes))
    inner.add_api_websocket_route("/{room}", endpoint)
    assert [first(app, "/in/tea"), first(other, "/in/tea")] == ["tea", "tea"]


def test_paths_have_names() -> None:
    """`url_path_for` knows the prefix of the inclusion."""
    (place,) = outer().routes
    assert place.url_path_for("endpoint", room="tea") == "/in/tea"
    with pytest.raises(NoMatchFound):
        place.url_path_for("nothing")
