"""Routers: prefixes, dependencies, inclusion at any depth, and what is added later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import fastapi
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, NoMatchFound, Route, WebSocketRoute

import wscontrollers
from wscontrollers import (
    APIRouter,
    APIWebSocketRoute,
    App,
    Controller,
    DeclarationError,
    Denied,
    Depends,
    Limits,
    Session,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    websocket,
)
from wscontrollers.exceptions import RouteError
from wscontrollers.testing import TestClient, WebSocketDenialResponse


async def echo_path(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)


def answer(app: Any, path: str) -> str:
    with TestClient(app) as client, client.websocket_connect(path) as session:
        return session.receive_text()


def refused(app: Any, path: str) -> int:
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect) as caught:
        client.websocket_connect(path).__enter__()
    return caught.value.code


def noting(notes: list[str], name: str) -> Any:
    async def note() -> None:
        notes.append(name)

    return Depends(note)


def test_the_decorator_returns_the_function() -> None:
    """`@router.websocket` adds a route and returns the very function."""
    router = APIRouter()
    assert router.websocket("/")(echo_path) is echo_path
    assert router.websocket_route("/raw")(echo_path) is echo_path


def test_a_function_is_given_what_a_method_is() -> None:
    """`limits` and `accept` stand at its route, as they stand at the mark of a controller's method."""
    router = APIRouter()

    @router.websocket("/late", accept=False, limits=Limits(message=10))
    async def late(session: Session[Any, Any], yes: bool = False) -> None:
        if not yes:
            raise Denied(403, "not you")
        await session.accept(headers=[(b"x-served-by", b"late")])
        await session.send(f"{session.limits.message} {session.limits.inbox}")

    @router.websocket("/usual")
    async def usual(session: Session[Any, Any]) -> None:
        await session.send(f"{session.limits.message} {session.limits.inbox}")

    app = App(limits=Limits(message=20, inbox=5))
    app.include_router(router)
    with TestClient(app) as client:
        with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/late"):
            pass
        with client.websocket_connect("/late?yes=1") as session:
            assert (b"x-served-by", b"late") in (session.extra_headers or [])
            assert session.receive_text() == "10 5"
        with client.websocket_connect("/usual") as session:
            assert session.receive_text() == "20 5"


def test_limits_of_a_function_are_limits() -> None:
    """Anything else is refused where it is declared, with the name of the function."""
    with pytest.raises(DeclarationError, match=r"echo_path.*limits={'rate': 1} are none\. Fix: "):
        APIRouter().add_api_websocket_route("/", echo_path, limits={"rate": 1})  # type: ignore[arg-type]


def test_a_prefix_stands_before_what_its_router_includes() -> None:
    """Routers, controllers and raw routes; those that are added later, and those that are looked for by name, too."""

    class Rooms(Controller):
        prefix = "/rooms"

        @websocket("/open", name="rooms")
        async def open(self, websocket: WebSocket) -> None:
            await echo_path(websocket)

    app, outer, inner = App(), APIRouter(prefix="/outer"), APIRouter(prefix="/inner")
    outer.include_router(inner)
    outer.include_router(inner, prefix="/a")
    outer.include_controller(Rooms, prefix="/b")
    app.include_router(outer, prefix="/v1")
    inner.add_api_websocket_route("/here", echo_path, "here")
    inner.add_websocket_route("/raw", echo_path)
    paths = ["/inner/here", "/inner/raw", "/a/inner/here", "/a/inner/raw", "/b/rooms/open"]
    assert [path for path in paths if answer(app, "/v1/outer" + path) != "/v1/outer" + path] == []
    assert [path for path in paths if answer(Starlette(routes=outer.routes), "/outer" + path) != "/outer" + path] == []
    assert [app.url_path_for(name) for name in ("here", "rooms")] == ["/v1/outer/inner/here", "/v1/outer/b/rooms/open"]
    assert outer.routes[2].url_path_for("rooms") == "/outer/b/rooms/open"


def test_a_parameter_of_a_routers_prefix_is_in_the_path_of_what_it_includes() -> None:
    """It is never looked for in the query, by a constructor, an endpoint or a guard; what else it says of the path is checked."""
    seen: list[str] = []

    async def guard(tenant: str) -> None:
        seen.append(tenant)

    class Rooms(Controller):
        def __init__(self, tenant: str) -> None:
            self.tenant = tenant

        @websocket("/open")
        async def open(self, websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text(self.tenant)

    app, router = App(), APIRouter(prefix="/tenants/{tenant}", dependencies=[Depends(guard)])
    router.include_controller(Rooms)
    app.include_router(router)
    assert [answer(app, "/tenants/mine/open?tenant=yours"), seen] == ["mine", ["mine"]]
    again = APIRouter()
    again.add_api_websocket_route("/{tenant}", echo_path)
    with pytest.raises(RouteError, match=r"the path '/tenants/\{tenant\}/x/\{tenant\}' cannot be used: Duplicated param name"):
        router.include_router(again, prefix="/x")
    assert answer(app, "/tenants/mine/open") == "mine"


@st.composite
def steps(draw: st.DrawFn) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The prefixes of some routers, and in which order they get routes and each other."""
    places = st.integers(0, 4)
    pieces = st.sampled_from(["", "/a", "/{%s}", "/a/{%s:int}/b"])
    prefixes = ["", *(draw(pieces).replace("%s", f"router_{number}") for number in range(1, 5))]
    taken: list[tuple[Any, ...]] = []
    for number in range(draw(st.integers(1, 10))):
        into, piece = draw(places), draw(pieces).replace("%s", f"step_{number}")
        kind = draw(st.sampled_from(["websocket", "ready", "raw", "include", "include"]))
        inner = draw(st.integers(into + 1, 5)) if kind == "include" else 0
        taken.append((kind, into, piece if kind == "include" else f"{piece}/{number}", inner))
    return prefixes, [step for step in taken if step[3] < 5]


def built(package: Any, tree: tuple[list[str], list[tuple[Any, ...]]], app: Any) -> Any:
    """The application, with all routers in it; each router, inclusion and route has a dependency of its own."""
    prefixes, steps = tree
    routers = [app]
    routers += [package.APIRouter(prefix=each, dependencies=[package.Depends(NOTES[i])]) for i, each in enumerate(prefixes[1:])]
    for number, (kind, into, piece, inner) in enumerate(steps, len(prefixes)):
        dependencies = [package.Depends(NOTES[number])]
        if kind == "include":
            routers[into].include_router(routers[inner], prefix=piece, dependencies=dependencies)
        elif kind == "websocket":
            routers[into].websocket(piece, "guarded", dependencies=dependencies)(echo_path)
        else:
            route = package.routing.APIWebSocketRoute if kind == "ready" else WebSocketRoute
            routers[into].routes.append(route(piece, echo_path))
    return app


NOTES = [lambda number=number: number for number in range(20)]


@settings(deadline=None)
@given(steps())
@example((["", "/a", "/b", "", ""], [("include", 1, "", 2), ("include", 0, "/v", 1), ("websocket", 2, "/x", 0)]))
def test_paths_and_dependencies_are_those_of_fastapi(tree: tuple[list[str], list[tuple[Any, ...]]]) -> None:
    """Whatever routers include whatever others, behind whatever prefixes, before or after they get their routes."""
    theirs = list(iter_route_contexts(built(fastapi, tree, fastapi.FastAPI(openapi_url=None)).routes))
    ours = built(wscontrollers, tree, App()).router.table.routes
    assert [route.path for route in ours] == [route.path for route in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        # Those of a router guard every route in it, here; in FastAPI only those that its own methods added.
        if mine.name == "guarded":
            assert [each.dependency for each in mine.dependencies] == [each.dependency for each in other.dependencies]


def test_dependencies_run_outermost_first() -> None:
    """App, then for each level the inclusion's and the router's own, then the route's."""
    notes: list[str] = []
    app = App(dependencies=[noting(notes, "app")])
    a, b = APIRouter(dependencies=[noting(notes, "a")]), APIRouter(dependencies=[noting(notes, "b")])
    b.add_api_websocket_route("/", echo_path, dependencies=[noting(notes, "route")])
    a.include_router(b, dependencies=[noting(notes, "include b")])
    app.include_router(a, dependencies=[noting(notes, "include a")])
    answer(app, "/")
    assert notes == ["app", "include a", "a", "include b", "b", "route"]


def test_routes_that_are_added_after_the_inclusion_are_live() -> None:
    """A route, or a router, that is added to an included router is served at once, at any depth."""
    app, outer, inner = App(), APIRouter(), APIRouter()
    app.include_router(outer, prefix="/outer")
    with TestClient(app) as client:
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect("/outer/late").__enter__()
        outer.include_router(inner)
        inner.add_api_websocket_route("/late", echo_path)
        with client.websocket_connect("/outer/late") as session:
            assert session.receive_text() == "/outer/late"


def test_routes_appended_by_hand_are_live() -> None:
    """`routes` is a list like Starlette's: what is appended to it or removed from it counts."""
    app, router = App(), APIRouter()
    app.include_router(router)
    route = APIWebSocketRoute("/by-hand", echo_path)
    router.routes.append(route)
    assert answer(app, "/by-hand") == "/by-hand"
    router.routes.remove(route)
    assert refused(app, "/by-hand") == 1000


def test_a_faulty_late_route_is_refused_where_it_is_added() -> None:
    """A route that cannot be served is refused when it is added to a router of an app, and leaves nothing behind."""
    app, router = App(), APIRouter()
    app.include_router(router)

    async def faulty(websocket: WebSocket, body: dict[str, int]) -> None: ...

    with pytest.raises(DeclarationError, match="parameter 'body'"):
        router.add_api_websocket_route("/faulty", faulty)
    router.add_api_websocket_route("/good", echo_path)
    assert answer(app, "/good") == "/good"
    assert refused(app, "/faulty") == 1000


def test_one_router_in_two_apps_obeys_the_overrides_of_each() -> None:
    """A router that two apps include follows each app's own `dependency_overrides`."""

    async def who() -> str:
        return "nobody"

    router = APIRouter()

    @router.websocket("/")
    async def endpoint(websocket: WebSocket, name: str = Depends(who)) -> None:
        await websocket.accept()
        await websocket.send_text(name)

    one, two = App(), App()
    one.include_router(router)
    two.include_router(router)
    one.dependency_overrides[who] = lambda: "one"
    assert [answer(one, "/"), answer(two, "/")] == ["one", "nobody"]


def test_a_router_included_twice() -> None:
    """A router can be included several times, each time with other prefixes and dependencies."""
    notes: list[str] = []
    app, router = App(), APIRouter()
    router.add_api_websocket_route("/x", echo_path)
    app.include_router(router, prefix="/1", dependencies=[noting(notes, "first")])
    app.include_router(router, prefix="/2", dependencies=[noting(notes, "second")])
    assert [answer(app, "/1/x"), answer(app, "/2/x"), notes] == ["/1/x", "/2/x", ["first", "second"]]


def test_cycles_are_refused() -> None:
    """A router cannot include itself, directly or through another one."""
    a, b = APIRouter(), APIRouter()
    with pytest.raises(RouteError, match="cannot include itself"):
        a.include_router(a)
    a.include_router(b)
    with pytest.raises(RouteError, match="cannot include itself"):
        b.include_router(a)


@pytest.mark.parametrize("wrong", [None, App(), FastAPI().router, Starlette().router])
def test_only_routers_of_ours_are_included(wrong: Any) -> None:
    """The routes of another kind of router know nothing of our dependencies."""
    with pytest.raises(DeclarationError, match=r"is no router of wscontrollers\. Fix: give an APIRouter"):
        App().include_router(wrong)


def test_fastapi_cannot_include_a_router_of_ours() -> None:
    """It would take the bare functions out of the routes: without class, parameters and guards. It is told the other ways."""
    router = APIRouter()
    router.add_api_websocket_route("/", echo_path)
    app = FastAPI()
    with pytest.raises(RouteError, match=r"FastAPI cannot include a router of wscontrollers\. Fix: write register_"):
        app.include_router(router)  # type: ignore[arg-type]  # what is tested
    app.mount("/mounted", router)
    assert answer(app, "/mounted/") == "/mounted/"


def test_an_empty_path_needs_a_prefix() -> None:
    """An empty path stands for the prefix itself; without any prefix it is an error in the app."""
    router = APIRouter()
    router.add_api_websocket_route("", echo_path)
    app = App()
    with pytest.raises(RouteError, match="both empty"):
        app.include_router(router)
    app.include_router(router, prefix="/here")
    assert answer(app, "/here") == "/here"


def test_raw_routes_keep_prefix_and_dependencies() -> None:
    """A plain Starlette endpoint is guarded by the dependencies of its routers and stands behind their prefixes."""
    router = APIRouter(prefix="/raw")

    async def nobody() -> None:
        raise WebSocketException(4001)

    router.add_websocket_route("/function", echo_path)
    router.routes.append(WebSocketRoute("/starlette", echo_path))
    app = App()
    app.include_router(router, prefix="/open")
    app.include_router(router, prefix="/guarded", dependencies=[Depends(nobody)])
    assert answer(app, "/open/raw/function") == "/open/raw/function"
    assert answer(app, "/open/starlette") == "/open/starlette"
    assert refused(app, "/guarded/raw/function") == 4001
    assert refused(app, "/guarded/starlette") == 4001


def test_raw_routes_take_endpoint_classes() -> None:
    """`websocket_route` takes Starlette's `WebSocketEndpoint` classes."""
    app = App()

    @app.websocket_route("/class")
    class Endpoint(WebSocketEndpoint):
        encoding = "text"

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await websocket.send_text(f"got {data}")

    with TestClient(app) as client, client.websocket_connect("/class") as session:
        session.send_text("it")
        assert session.receive_text() == "got it"


def test_http_routes_live_beside() -> None:
    """Starlette's HTTP routes and mounts are served by an app, behind the prefixes of their routers."""

    async def health(request: Request) -> PlainTextResponse:
        return PlainTextResponse("well")

    router = APIRouter(routes=[Route("/health", health), Mount("/sub", app=Starlette(routes=[Route("/x", health)]))])
    app = App(routes=[Route("/", health)])
    app.include_router(router, prefix="/api")
    with TestClient(app) as client:
        assert [client.get(path).text for path in ("/", "/api/health", "/api/sub/x")] == ["well"] * 3
        assert client.post("/api/health").status_code == 405
        assert client.get("/api/health/").text == "well"
        assert client.get("/nowhere").status_code == 404


def test_url_path_for() -> None:
    """Names lead to whole paths, from a router alone and from an app; an unknown name is Starlette's error."""
    router = APIRouter(prefix="/rooms")
    router.add_api_websocket_route("/{room}", echo_path, "room")
    app = App()
    app.include_router(router, prefix="/v1")
    assert router.url_path_for("room", room="tea") == "/rooms/tea"
    assert app.url_path_for("room", room="tea") == "/v1/rooms/tea"
    assert app.routes[0].url_path_for("room", room="tea") == "/v1/rooms/tea"
    with pytest.raises(NoMatchFound):
        app.url_path_for("room")


def test_scope_route_is_the_route_at_its_whole_path() -> None:
    """`scope["route"]` has the whole path, and subclasses of the route are kept."""

    class OwnRoute(APIWebSocketRoute):
        pass

    async def endpoint(websocket: WebSocket) -> None:
        route = websocket.scope["route"]
        await websocket.accept()
        await websocket.send_text(f"{type(route).__name__} {route.path_format} {route.name}")

    app = App()
    app.include_router(APIRouter(routes=[OwnRoute("/{x}", endpoint)]), prefix="/api")
    assert answer(app, "/api/1") == "OwnRoute /api/{x} endpoint"


def test_a_router_is_an_application() -> None:
    """A router can be mounted in another application by itself."""
    router = APIRouter()
    router.add_api_websocket_route("/x", echo_path)
    assert answer(Starlette(routes=[Mount("/mounted", app=router)]), "/mounted/x") == "/mounted/x"


def test_lifespans_nest() -> None:
    """The lifespans of included routers run inside of the outer ones, each once; the outer ones' state wins."""
    notes: list[str] = []

    def life(name: str) -> Any:
        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[Mapping[str, Any]]:
            notes.append(name)
            yield {"who": name, name: True}
            notes.append(f"-{name}")

        return lifespan

    async def state(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"{websocket.state.who} {websocket.state.inner}")

    inner, outer = APIRouter(lifespan=life("inner")), APIRouter(lifespan=life("outer"))
    inner.add_api_websocket_route("/", state)
    outer.include_router(inner)
    app = App(lifespan=life("app"))
    app.include_router(outer)
    app.include_router(outer, prefix="/again")
    assert answer(app, "/") == "app True"
    assert notes == ["app", "outer", "inner", "-inner", "-outer", "-app"]


def test_path_parameters_of_an_inclusion_reach_the_endpoint() -> None:
    """A prefix may have parameters; the same endpoint takes a name from the query where its path does not have it."""
    router = APIRouter()

    @router.websocket("/item")
    async def endpoint(websocket: WebSocket, user: int) -> None:
        await websocket.accept()
        await websocket.send_text(str(user + 1))

    app = App()
    app.include_router(router, prefix="/users/{user}")
    app.include_router(router)
    assert [answer(app, "/users/4/item"), answer(app, "/item?user=6")] == ["5", "7"]


@pytest.mark.parametrize("change", ["append", "assign"])
@pytest.mark.parametrize("included", [True, False])
def test_a_guard_that_is_added_later_guards_the_routes_of_today(change: str, included: bool) -> None:
    """`router.dependencies` is watched as `routes` is: a login check that comes late is no open door until then unnoticed."""

    async def login() -> None:
        raise Denied(401, "Who are you?")

    async def endpoint(websocket: WebSocket) -> None: ...

    app = App()
    router = APIRouter() if included else app.router
    router.add_api_websocket_route("/", endpoint)
    if included:
        app.include_router(router)
    if change == "append":
        router.dependencies.append(Depends(login))
    else:
        router.dependencies = [Depends(login)]
    with TestClient(app) as client, pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/"):
        pass
    assert denied.value.status_code == 401


def test_routes_can_be_replaced() -> None:
    """What is assigned to `routes` takes the place of what was there, wherever the router was included."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()

    app, router = App(), APIRouter()
    app.include_router(router)
    router.routes = [APIWebSocketRoute("/new", endpoint)]
    with TestClient(app) as client, client.websocket_connect("/new"):
        pass


@pytest.mark.parametrize(
    "declare",
    [
        lambda guard: App(dependencies=guard),
        lambda guard: APIRouter(dependencies=guard),
        lambda guard: APIRouter().include_router(APIRouter(), dependencies=guard),
        lambda guard: APIRouter().websocket("/", dependencies=guard)(echo_path),
    ],
)
def test_dependencies_are_a_list(declare: Callable[[Any], Any]) -> None:
    """`(Depends(login))` without a comma is no tuple: told where it is written, with the fix."""
    with pytest.raises(DeclarationError, match=r"Depends\(\.\.\.\) is no list of dependencies\. Fix: write \[Depends"):
        declare(Depends(echo_path))
