"""Mounts and hosts below dependencies."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from wscontrollers import (
    APIRouter,
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Group,
    Inject,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    websocket,
)
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


class Rooms(Controller):
    """Says what its container has."""

    def __init__(self, name: Inject[str]) -> None:
        self.name = name

    @websocket("/x")
    async def open(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(self.name)


class Passing:
    """A middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def named(name: str) -> Container:
    return Container(lambda binder: binder.bind(str, to=name))


def including() -> APIRouter:
    router = APIRouter()
    router.include_controller(Rooms)
    return router


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


def test_a_guarded_mount_has_the_groups_of_the_app() -> None:
    """Its guards are those of the app, which has one container and one `Groups`."""
    app = App(routes=[MOUNTS[1]], dependencies=[Depends(members_only)], groups=[Group("news")])
    assert [first(app, "/sub/x"), first(app, "/sub/x?token=t")] == [4003, "/sub/x"]


def test_a_mount_without_dependencies_is_as_it_was() -> None:
    """Without dependencies nothing stands between the app and what is mounted."""
    assert first(App(routes=[MOUNTS[0]]), "/sub/x") == "/sub/x"


def test_dependencies_guard_hosts() -> None:
    """A host below dependencies is guarded as a mount is."""
    host = Host("testserver", app=Starlette(routes=[WebSocketRoute("/x", endpoint)]))
    app = App(routes=[host], dependencies=[Depends(members_only)])
    assert [first(app, "/x"), first(app, "/x?token=t")] == [4003, "/x"]


def test_a_host_behind_a_prefix() -> None:
    """It serves what is behind the prefix, as in FastAPI; what guards it knows the parameters of the prefix and of the name."""
    seen: list[str] = []

    async def guard(tenant: str, sub: str) -> None:
        seen.append(f"{tenant} {sub}")

    routes = [WebSocketRoute("/x", endpoint, name="x"), Route("/page", page, name="page")]
    host = Host("{sub}.example", app=Starlette(routes=routes), name="host")
    router = APIRouter(prefix="/tenants/{tenant}", dependencies=[Depends(guard)])
    router.include_router(APIRouter(routes=[host]))
    app = App()
    app.include_router(router)
    client = TestClient(app, base_url="http://api.example")
    assert client.get("/tenants/mine/page").text == "page"
    assert client.get("/page").status_code == 404
    url = app.url_path_for("host:x", tenant="mine", sub="api")
    assert (url, url.host) == ("/tenants/mine/x", "api.example")
    with client.websocket_connect("ws://api.example/tenants/mine/x?tenant=yours&sub=other") as session:
        assert [session.receive_text(), seen] == ["/tenants/mine/x", ["mine api"]]


ROUTERS: list[BaseRoute] = [
    Mount("/m", app=Rooms.router),
    Mount("/m", app=including()),
    Mount("/m", routes=Rooms.router.routes),
    Mount("/m", routes=including().routes),
    Mount("/m", app=Rooms.router, middleware=[Middleware(Passing)]),
    Mount("/", routes=[Mount("/m", app=Rooms.router)]),
    Host("testserver", app=APIRouter(routes=[Mount("/m", app=Rooms.router)])),
]


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("route", ROUTERS)
def test_a_router_that_is_mounted_has_what_the_app_has(route: BaseRoute, guarded: bool) -> None:
    """It has no container of its own: its sessions are served as if it were included, in each app with that one's services."""
    dependencies = [Depends(members_only)] if guarded else []
    apps = [App(routes=[route], container=named(name), dependencies=dependencies) for name in ("one", "two")]
    assert [first(app, "/m/x?token=t") for app in apps] == ["one", "two"]
    assert first(apps[0], "/m/x") == (4003 if guarded else "one")


@pytest.mark.parametrize("route", ROUTERS)
def test_what_is_wrong_below_a_mount_is_told_where_it_is_mounted(route: BaseRoute) -> None:
    """Not by its first session."""
    with pytest.raises(DeclarationError, match="builtin asked for"):
        App(routes=[route])


@pytest.mark.parametrize("listed", [True, False])
def test_a_parameter_of_a_mounts_path_is_not_read_from_the_query(listed: bool) -> None:
    """The routes below do not have it in their path; as a prefix it would be there."""
    router = APIRouter()

    @router.websocket("/x")
    async def named(websocket: WebSocket, room: str) -> None:
        await websocket.accept()
        await websocket.send_text(room)

    mount = Mount("/{room}", routes=router.routes) if listed else Mount("/{room}", app=router)
    with pytest.raises(RouteError, match=r"parameter 'room': it is in the path of a mount, .*Fix: include the router"):
        App(routes=[mount])
    app = App()
    app.include_router(router, prefix="/{room}")
    assert first(app, "/tea/x") == "tea"


def test_a_parameter_of_a_prefix_above_a_mount_is_not_read_from_the_query() -> None:
    """Neither by the routes of a router that is mounted, nor by guards that run before them."""

    async def guard(room: str) -> None: ...

    async def named(websocket: WebSocket, room: str) -> None: ...

    for taking, guarded in ((named, False), (endpoint, True)):
        inner = APIRouter()
        inner.add_api_websocket_route("/x", taking)
        router = APIRouter(prefix="/{room}", dependencies=[Depends(guard)] if guarded else None)
        router.include_router(APIRouter(routes=[Mount("/m", app=APIRouter(routes=[Mount("/n", app=inner)]))]))
        with pytest.raises(RouteError, match=r"parameter 'room': it is in the path of a mount"):
            App().include_router(router)


def test_what_is_added_to_a_mounted_router_is_live() -> None:
    """As with an included one."""
    router = APIRouter()
    app = App(routes=[Mount("/m", app=router)])
    assert first(app, "/m/late") == 1000
    router.add_api_websocket_route("/late", endpoint)
    assert first(app, "/m/late") == "/m/late"


def test_what_a_guard_and_an_endpoint_depend_on_is_called_once() -> None:
    """A router's sessions below guarded mounts have one plan with the guards."""
    calls: list[str] = []

    async def user() -> str:
        calls.append("called")
        return "ann"

    router = APIRouter()

    @router.websocket("/x")
    async def greet(websocket: WebSocket, name: str = Depends(user)) -> None:
        await websocket.accept()
        await websocket.send_text(name)

    app = App(routes=[Mount("/m", app=router)], dependencies=[Depends(user)])
    assert [first(app, "/m/x"), calls] == ["ann", ["called"]]


def test_a_mounted_app_keeps_its_own_container() -> None:
    """It is an application, with services of its own."""
    inner = App(controllers=[Rooms], container=named("inner"))
    assert first(App(routes=[Mount("/m", app=inner)]), "/m/x") == "inner"


def test_a_mount_with_middleware_keeps_the_names_of_its_routes() -> None:
    """Behind a prefix too."""
    mount = Mount("/sub", routes=[Route("/page", page, name="page")], name="sub", middleware=[Middleware(Passing)])
    app = App()
    app.include_router(APIRouter(routes=[mount]), prefix="/api")
    assert app.url_path_for("sub:page") == "/api/sub/page"
    assert TestClient(app).get("/api/sub/page").text == "page"
