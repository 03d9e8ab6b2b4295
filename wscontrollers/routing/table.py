"""The flat table of a router: every route with its whole path, and the list that tells when it is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, SupportsIndex

from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ..markers import Dependency
from .route import APIWebSocketRoute, Host, RawWebSocketRoute

Declared = tuple[BaseRoute, str, tuple[Dependency, ...]]


class RouteList(list[BaseRoute]):
    """A list that tells of every change. If a change is refused, it is as if it had not been made."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed

    def _change(self, change: Callable[[], Any]) -> Any:
        before = list(self)
        result = change()
        try:
            self._changed()
        except BaseException:
            super().__setitem__(slice(None), before)
            self._changed()
            raise
        return result

    def append(self, item: BaseRoute) -> None:
        """Add a route."""
        self._change(lambda: super(RouteList, self).append(item))

    def extend(self, items: Iterable[BaseRoute]) -> None:
        """Add routes."""
        self._change(lambda: super(RouteList, self).extend(items))

    def insert(self, index: SupportsIndex, item: BaseRoute) -> None:
        """Add a route at a place."""
        self._change(lambda: super(RouteList, self).insert(index, item))

    def remove(self, item: BaseRoute) -> None:
        """Take a route out."""
        self._change(lambda: super(RouteList, self).remove(item))

    def pop(self, index: SupportsIndex = -1) -> BaseRoute:
        """Take out and return the route at a place."""
        route: BaseRoute = self._change(lambda: super(RouteList, self).pop(index))
        return route

    def clear(self) -> None:
        """Take all out."""
        self._change(super().clear)

    def reverse(self) -> None:
        """Turn the order round."""
        self._change(super().reverse)

    def sort(self, **options: Any) -> None:
        """Bring the routes into an order."""
        self._change(lambda: super(RouteList, self).sort(**options))

    def __setitem__(self, index: Any, item: Any) -> None:
        self._change(lambda: super(RouteList, self).__setitem__(index, item))

    def __delitem__(self, index: Any) -> None:
        self._change(lambda: super(RouteList, self).__delitem__(index))

    def __iadd__(self, items: Iterable[BaseRoute]) -> Self:  # type: ignore[override,misc]  # list's __add__ takes lists only
        self.extend(items)
        return self


class Table:
    """Routes bound to their whole paths; a route that did not change keeps its plan when others are added.

    Attributes:
        router: Starlette's router over the bound routes, which matches HTTP requests too.
    """

    def __init__(self, *, default: ASGIApp, redirect_slashes: bool) -> None:
        self.router = Router(default=default, redirect_slashes=redirect_slashes)
        self._bound: dict[Any, tuple[object, BaseRoute]] = {}

    @property
    def routes(self) -> list[BaseRoute]:
        """The bound routes, in order."""
        return self.router.routes

    def fill(self, declared: Iterable[Declared], host: Host | None) -> None:
        """Bind all routes; nothing changes if one of them cannot be bound."""
        bound: dict[Any, tuple[object, BaseRoute]] = {}
        routes: list[BaseRoute] = []
        for route, prefix, dependencies in declared:
            key = (id(route), prefix, *map(id, dependencies), id(host))
            # What the key was made of is kept with it, so that no id can come to mean something else.
            entry = (
                self._bound.get(key) or bound.get(key) or ((route, dependencies, host), bind(route, prefix, dependencies, host))
            )
            bound[key] = entry
            routes.append(entry[1])
        self._bound = bound
        self.router.routes = routes

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the scope to the first route that matches."""
        await self.router.app(scope, receive, send)


def bind(route: BaseRoute, prefix: str, dependencies: tuple[Dependency, ...], host: Host | None) -> BaseRoute:
    """The route at its whole path. Dependencies guard WebSocket routes, Starlette's own too; HTTP routes and mounts have none."""
    if isinstance(route, APIWebSocketRoute):
        return route.bound(prefix=prefix, dependencies=dependencies, host=host)
    if isinstance(route, WebSocketRoute):
        return RawWebSocketRoute.of(route).bound(prefix=prefix, dependencies=dependencies, host=host)
    if not prefix:
        return route
    if isinstance(route, Route):
        return Route(
            prefix + route.path,
            route.endpoint,
            methods=None if route.methods is None else sorted(route.methods),
            name=route.name,
            include_in_schema=route.include_in_schema,
        )
    if isinstance(route, Mount):
        return Mount(prefix + route.path, app=route.app, name=route.name)
    return route
