"""Routes: alone in Starlette, bound to an app, raw ones, and what is refused at declaration."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTasks
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, WebSocketRoute

from wscontrollers import APIWebSocketRoute, App, DeclarationError, Depends, WebSocket, WebSocketDisconnect
from wscontrollers.exceptions import RouteError
from wscontrollers.routing import Host, RawWebSocketRoute
from wscontrollers.testing import TestClient


def answer(app: Any, path: str) -> Any:
    with TestClient(app) as client, client.websocket_connect(path) as session:
        return session.receive_json()


def test_usable_alone_in_starlette() -> None:
    """A route can stand in a plain Starlette application, with parameters and dependencies; overrides come from its provider."""

    async def who() -> str:
        return "nobody"

    class Provider:
        dependency_overrides: dict[Any, Any] = {}

    async def endpoint(websocket: WebSocket, room: str, limit: int = 3, name: str = Depends(who)) -> None:
        await websocket.accept()
        await websocket.send_json([room, limit, name])

    app = Starlette(routes=[APIWebSocketRoute("/{room}", endpoint, dependency_overrides_provider=Provider)])
    assert answer(app, "/tea?limit=4") == ["tea", 4, "nobody"]
    Provider.dependency_overrides = {who: lambda: "ann"}
    assert answer(app, "/tea") == ["tea", 3, "ann"]


def test_attributes() -> None:
    """A route has the attributes of FastAPI's: path, path_format, name, endpoint, dependencies."""

    async def endpoint(websocket: WebSocket, n: int) -> None: ...

    guard = Depends(endpoint)
    route = APIWebSocketRoute("/{n:int}", endpoint, dependencies=[])
    assert (route.path, route.path_format, route.name, route.endpoint, route.dependencies) == (
        "/{n:int}",
        "/{n}",
        "endpoint",
        endpoint,
        (),
    )
    assert APIWebSocketRoute("/x", functools.partial(endpoint, n=1), name="other").name == "other"
    assert guard.dependency is endpoint


def test_bound_leaves_the_declared_route_as_it_is() -> None:
    """Binding makes a copy: the declared route can be bound elsewhere, too."""

    async def endpoint(websocket: WebSocket) -> None: ...

    async def guard() -> None: ...

    route = APIWebSocketRoute("/x", endpoint)
    marker = Depends(guard)
    bound = route.bound(prefix="/a", dependencies=[marker], host=Host())
    assert (bound.path, bound.dependencies) == ("/a/x", (marker,))
    assert (route.path, route.dependencies) == ("/x", ())
    assert [below.call for below in bound.dependant.guards] == [guard]


def test_dependencies_stay_as_they_were_declared() -> None:
    """Plans are made of them, so what would be added later could not guard anything: the list cannot be changed."""

    async def endpoint(websocket: WebSocket) -> None: ...

    async def guard() -> None: ...

    given = [Depends(guard)]
    route: Any = APIWebSocketRoute("/x", endpoint, dependencies=given)
    given.clear()
    assert len(route.dependencies) == 1
    with pytest.raises(AttributeError):
        route.dependencies.append(Depends(guard))
    with pytest.raises(AttributeError):
        route.dependencies = []


def test_matches_only_handshakes() -> None:
    """A route matches WebSocket scopes of its path, with converted path parameters."""

    async def endpoint(websocket: WebSocket, n: int) -> None: ...

    route = APIWebSocketRoute("/{n:int}", endpoint)
    match, child = route.matches({"type": "websocket", "path": "/4", "path_params": {"a": 1}})
    assert match is Match.FULL
    assert child == {"endpoint": endpoint, "path_params": {"a": 1, "n": 4}, "route": route}
    assert route.matches({"type": "websocket", "path": "/x"})[0] is Match.NONE
    assert route.matches({"type": "http", "path": "/4", "method": "GET"})[0] is Match.NONE


@pytest.mark.parametrize("refused", [Request, Response, BackgroundTasks])
def test_http_types_are_refused_at_declaration(refused: type) -> None:
    """What a WebSocket never has is refused where the endpoint is declared."""

    async def endpoint(websocket: WebSocket, it: Any) -> None: ...

    endpoint.__annotations__["it"] = refused
    with pytest.raises(DeclarationError, match=r"parameter 'it': a WebSocket has no .*\. Fix: "):
        APIWebSocketRoute("/", endpoint)


def test_a_plain_function_is_refused_at_declaration() -> None:
    """An endpoint that is no coroutine function is refused where it is declared."""

    def endpoint(websocket: WebSocket) -> None: ...

    with pytest.raises(DeclarationError, match=r'endpoint .*: it is not async.*Fix: write "async def"'):
        APIWebSocketRoute("/", endpoint)

    async def generator(websocket: WebSocket) -> Any:
        yield

    with pytest.raises(DeclarationError, match="it is a generator"):
        APIWebSocketRoute("/", generator)


def test_depends_without_a_callable_is_refused_at_declaration() -> None:
    """`Depends()` on a parameter without a type has nothing to call."""

    async def endpoint(websocket: WebSocket, it=Depends()) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(DeclarationError, match=r"Depends\(\) has nothing to call"):
        APIWebSocketRoute("/", endpoint)


def test_a_path_without_a_slash_is_refused() -> None:
    """A path starts with a slash."""

    async def endpoint(websocket: WebSocket) -> None: ...

    with pytest.raises(RouteError, match="does not start with a slash"):
        APIWebSocketRoute("x", endpoint)


def test_raw_route_of_starlette_keeps_its_middleware() -> None:
    """Starlette's own route with middleware works below our routers as it does alone."""

    class Tagging:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["tag"] = "tagged"
            await self.app(scope, receive, send)

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.scope["tag"])

    app = App(routes=[WebSocketRoute("/", endpoint, middleware=[Middleware(Tagging)])])
    assert answer(app, "/") == "tagged"


def test_raw_routes_take_partials_and_applications() -> None:
    """A raw endpoint may be a partial of a function, or any ASGI application."""

    async def say(text: str, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(text)

    class Application:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await say("application", WebSocket(scope, receive, send))

    app = App(routes=[RawWebSocketRoute("/partial", functools.partial(say, "partial")), RawWebSocketRoute("/app", Application())])
    assert [answer(app, "/partial"), answer(app, "/app")] == ["partial", "application"]


def test_a_number_that_python_does_not_read_is_none_of_the_routes_paths() -> None:
    """A client's path is refused as one that nothing serves: it is no failure of the application."""

    async def endpoint(websocket: WebSocket, number: int) -> None: ...

    app = App()
    app.add_api_websocket_route("/{number:int}", endpoint)
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect), client.websocket_connect("/" + "1" * 5000):
        pass
