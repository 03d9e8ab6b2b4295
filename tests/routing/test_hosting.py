"""What a route gets from the application that serves it, also where it is not among that application's own routes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from wscontrollers import (
    APIRouter,
    APIWebSocketRoute,
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Groups,
    Inject,
    Session,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    group,
    register_controllers,
    websocket,
)
from wscontrollers.routing import Host
from wscontrollers.routing.hosting import Guest, at_home, host_of, let_serve
from wscontrollers.testing import AsyncTestClient, TestClient


async def members_only(token: str = "") -> None:
    if token != "t":
        raise WebSocketException(4003)


class Rooms(Controller):
    """Says what its container has."""

    dependencies = [Depends(members_only)]

    def __init__(self, name: Inject[str]) -> None:
        self.name = name

    @websocket("/x")
    async def open(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(self.name)


def named(name: str) -> Container:
    return Container(lambda binder: binder.bind(str, to=name))


def first(app: Any, path: str) -> str | int:
    """The first text, or the code of the close."""
    try:
        with TestClient(app).websocket_connect(path) as session:
            return session.receive_text()
    except WebSocketDisconnect as error:
        return error.code


def test_the_innermost_application_of_a_scope_has_the_host() -> None:
    """An application keeps the host that it got first; one without a host has none, whatever is around it."""
    app, host = Starlette(), Host()
    let_serve(app, host)
    let_serve(app, Host())
    assert host_of({"app": app}) is host
    assert host_of({"app": Starlette()}) is None
    assert host_of({}) is None


def test_routers_and_routes_are_guests() -> None:
    """Both can be served by an application that does not have them among its own."""
    router = APIRouter()
    router.include_controller(Rooms)
    assert all(isinstance(guest, Guest) for guest in (router, router.routes[0], Rooms.router.routes[0]))


def test_a_guest_is_bound_once_for_each_application() -> None:
    """And then to the container of that one."""
    (route,) = Rooms.router.routes
    assert isinstance(route, APIWebSocketRoute)
    one, two = Host(named("one")), Host(named("two"))
    assert route.served_by(one) is route.served_by(one)
    assert route.served_by(one) is not route.served_by(two)
    assert route.served_by(two).planned.container is two.container


def test_what_is_bound_already_stays_with_its_application() -> None:
    """The routes of an app are its own, whoever else has them in a list."""
    app = App(controllers=[Rooms], container=named("own"))
    (route,) = app.router.table.routes
    assert isinstance(route, APIWebSocketRoute)
    assert route.served_by(Host()) is route
    assert app.router.served_by(Host()) is app.router


@pytest.mark.parametrize("mounted", [True, False])
def test_a_registered_application_serves_its_guests_with_its_container(mounted: bool) -> None:
    """A router that is mounted on it, and routes that are put among its own, are bound as those that were registered."""
    app = Starlette()
    register_controllers(app, container=named("registered"))
    if mounted:
        app.mount("/m", Rooms.router)
    else:
        app.router.routes.extend(Rooms.router.routes)
    path = "/m/x" if mounted else "/x"
    assert [first(app, path), first(app, f"{path}?token=t")] == [4003, "registered"]


def taken_out(router: APIRouter) -> list[BaseRoute]:
    return list(router.routes)


@pytest.mark.parametrize("serve", [lambda routes: Starlette(routes=routes), lambda routes: App(routes=routes)])
def test_routes_keep_the_guards_of_the_router_that_they_were_taken_from(serve: Any) -> None:
    """Whoever takes the routes out of a router does not open what it guards, also when a guard is added later."""
    router = APIRouter(dependencies=[Depends(members_only)])

    @router.websocket("/x")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("in")

    router.add_websocket_route("/raw", endpoint)
    app = serve(taken_out(router))
    assert [first(app, "/x"), first(app, "/raw"), first(app, "/x?token=t")] == [4003, 4003, "in"]


def test_without_a_host_the_container_is_empty_and_the_error_says_why() -> None:
    """A plain application gives a route nothing; what is missing is told with a way out."""
    with pytest.raises(DeclarationError, match="builtin asked for") as caught:
        at_home(Rooms.router, {"app": Starlette()}, Host)
    assert ["register_controllers()" in note for note in caught.value.__notes__] == [True]


@pytest.mark.anyio
async def test_a_guard_of_a_group_can_ask_for_the_groups() -> None:
    """They are there before their guards are planned."""

    @group("room:{room}")
    async def welcome(room: str, groups: Groups) -> None:
        asked.append((room, groups))

    asked: list[tuple[str, Groups]] = []
    app = App(groups=[welcome])

    @app.websocket("/x")
    async def enter(session: Session[Any, Any]) -> None:
        await session.join("room:tea")

    async with AsyncTestClient(app) as client, client.connect("/x") as session:
        await session.expect_closed(1000)

    assert asked == [("tea", app.groups)]


def test_threads_that_ask_at_once_have_the_same_groups() -> None:
    """Outside of its `with`, a TestClient runs each session in a thread of its own: whoever asks first makes them for all."""
    for _ in range(20):
        app, start = App(), threading.Barrier(4)
        found: list[object] = []

        def ask(app: App = app, start: threading.Barrier = start, found: list[object] = found) -> None:
            start.wait()
            found.append(app.groups)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1
