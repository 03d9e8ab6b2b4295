"""Mounts and hosts below dependencies."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute

from wscontrollers import APIRouter, App, Depends, WebSocket, WebSocketDisconnect, WebSocketException
from wscontrollers.exceptions import RouteError
from wscontrollers.testing import TestClient


async def endpoint(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("page")


async def members_only(token: str = "") -> None:
    if token != "t":
        raise WebSocketException(4003)


def first(app: Any, path: str) -> str | int:
    """The first text, or the code of the close."""
    try:
        with TestClient(app).websocket_connect(path) as session:
            return session.receive_text()
    except WebSocketDisconnect as error:
        return error.code


MOUNTS = [
    Mount("/sub", routes=[WebSocketRoute("/x", endpoint, name="x"), Route("/page", page)], name="sub"),
    Mount("/sub", app=Starlette(routes=[WebSocketRoute("/x", endpoint, name="x"), Route("/page", page)]), name="sub"),
    Mount("/sub", app=App(routes=[WebSocketRoute("/x", endpoint, name="x"), Route("/page", page)]), name="sub"),
]


@pytest.mark.parametrize("mount", MOUNTS)
def test_dependencies_guard_the_sessions_of_a_mount(mount: Mount) -> None:
    """Sessions of a mounted application begin when the dependencies of app and routers are solved; HTTP requests pass."""
    app = App()
    app.include_router(APIRouter(routes=[mount], dependencies=[Depends(members_only)]), prefix="/api")
    assert first(app, "/api/sub/x") == 4003
    assert first(app, "/api/sub/x?token=t") == "/api/sub/x"
    assert TestClient(app).get("/api/sub/page").text == "page"
    assert app.url_path_for("sub:x") == "/api/sub/x"


def test_a_mount_without_dependencies_is_as_it_was() -> None:
    """Without dependencies nothing stands between the app and what is mounted."""
    assert first(App(routes=[MOUNTS[0]]), "/sub/x") == "/sub/x"


def test_dependencies_guard_hosts() -> None:
    """A host below dependencies is guarded as a mount is."""
    host = Host("testserver", app=Starlette(routes=[WebSocketRoute("/x", endpoint)]))
    app = App(routes=[host], dependencies=[Depends(members_only)])
    assert [first(app, "/x"), first(app, "/x?token=t")] == [4003, "/x"]


def test_a_host_behind_a_prefix_is_refused() -> None:
    """A host has no place for a prefix, which would be lost."""
    app = App()
    with pytest.raises(RouteError, match=r"Host\('a\.example'\): it is included behind the prefix '/api'"):
        app.include_router(APIRouter(routes=[Host("a.example", app=Starlette())]), prefix="/api")
