"""The list of routes that tells of its changes, and the flat table behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import BaseRoute, Route

from wscontrollers import APIRouter, APIWebSocketRoute, App, WebSocket
from wscontrollers.routing.table import RouteList


async def endpoint(websocket: WebSocket) -> None: ...


def route(path: str) -> BaseRoute:
    return Route(path, lambda request: None)  # type: ignore[arg-type, return-value]


CHANGES: list[Callable[[RouteList], Any]] = [
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
def test_every_change_is_told(change: Callable[[RouteList], Any]) -> None:
    """Whichever way a list of routes is changed, its owner is told once."""
    told: list[int] = []
    routes = RouteList(lambda: told.append(len(routes)))
    routes.append(route("/a"))
    told.clear()
    change(routes)
    assert told == [len(routes)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_refused_change_is_undone(change: Callable[[RouteList], Any]) -> None:
    """If the owner refuses a change, the list is as it was."""

    def refuse() -> None:
        if list(routes) != before:
            raise ValueError("refused")

    before: list[BaseRoute] = []
    routes = RouteList(lambda: None)
    routes.extend([route("/a"), route("/b")])
    before = list(routes)
    routes._changed = refuse
    with pytest.raises(ValueError, match="refused"):
        change(routes)
    assert list(routes) == before


def test_a_bound_route_is_kept_when_others_are_added() -> None:
    """Adding a route does not plan the others again."""
    app, router = App(), APIRouter()
    app.include_router(router, prefix="/x")
    router.add_api_websocket_route("/1", endpoint)
    (first,) = app.router.table.routes
    router.add_api_websocket_route("/2", endpoint)
    assert app.router.table.routes[0] is first
    assert [bound.path for bound in app.router.table.routes if isinstance(bound, APIWebSocketRoute)] == ["/x/1", "/x/2"]
