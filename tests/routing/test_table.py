"""The list of routes that tells of its changes, and the flat table behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import BaseRoute, Match, Route

from wscontrollers import APIRouter, APIWebSocketRoute, App, WebSocket, WebSocketDisconnect
from wscontrollers.routing.table import Watched
from wscontrollers.testing import TestClient


async def endpoint(websocket: WebSocket) -> None: ...


def route(path: str) -> BaseRoute:
    return Route(path, lambda request: None)  # type: ignore[arg-type, return-value]


CHANGES: list[Callable[[Watched[Any]], Any]] = [
    lambda routes: routes.append(route("/b")),
    lambda routes: routes.extend([route("/b")]),
    lambda routes: routes.insert(0, route("/b")),
    lambda routes: routes.remove(routes[0]),
    lambda routes: routes.pop(),
    lambda routes: routes.clear(),
    lambda routes: routes.reverse(),
    lambda routes: routes.sort(key=repr, reverse=True),
    lambda routes: routes.__setitem__(0, route("/b")),
    lambda routes: routes.__delitem__(0),
    lambda routes: routes.__iadd__([route("/b")]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_told(change: Callable[[Watched[Any]], Any]) -> None:
    """Whichever way a list of routes is changed, its owner is told once."""
    told: list[int] = []
    routes: Watched[Any] = Watched(lambda: told.append(len(routes)))
    routes.append(route("/a"))
    told.clear()
    change(routes)
    assert told == [len(routes)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_refused_change_is_undone(change: Callable[[Watched[Any]], Any]) -> None:
    """If the owner refuses a change, the list is as it was."""

    def refuse() -> None:
        if list(routes) != before:
            raise ValueError("refused")

    before: list[BaseRoute] = []
    routes: Watched[Any] = Watched(lambda: None)
    routes.extend([route("/a"), route("/b")])
    before = list(routes)
    routes._changed = refuse
    with pytest.raises(ValueError, match="refused"):
        change(routes)
    assert list(routes) == before


def test_a_subclass_may_match_in_its_own_way() -> None:
    """A subclass of the route that overrides `matches` or `handle` is asked as Starlette asks its routes."""
    seen: list[str] = []

    class Picky(APIWebSocketRoute):
        def matches(self, scope: Any) -> tuple[Match, Any]:
            seen.append("matches")
            return super().matches(scope) if b"x-open" in dict(scope["headers"]) else (Match.NONE, {})

        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append("handle")
            await super().handle(scope, receive, send)

    async def closing(websocket: WebSocket) -> None:
        await websocket.close(4000 if websocket.headers.get("x-open") else 4001)

    app = App(routes=[Picky("/", closing), APIWebSocketRoute("/", closing)])
    codes = []
    with TestClient(app) as client:
        for headers in ({"x-open": "1"}, {}, {"x-open": "1"}):
            with pytest.raises(WebSocketDisconnect) as caught:
                client.websocket_connect("/", headers=headers).__enter__()
            codes.append(caught.value.code)
    assert codes == [4000, 4001, 4000]
    assert seen.count("handle") == 2


def test_a_bound_route_is_kept_when_others_are_added() -> None:
    """Adding a route does not plan the others again."""
    app, router = App(), APIRouter()
    app.include_router(router, prefix="/x")
    router.add_api_websocket_route("/1", endpoint)
    (first,) = app.router.table.routes
    router.add_api_websocket_route("/2", endpoint)
    assert app.router.table.routes[0] is first
    assert [bound.path for bound in app.router.table.routes if isinstance(bound, APIWebSocketRoute)] == ["/x/1", "/x/2"]
