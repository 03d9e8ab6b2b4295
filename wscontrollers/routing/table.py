"""The flat table of a router: every route with its whole path, and the list that tells when it is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, SupportsIndex, TypeVar, cast

from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, Mount, Route, Router, WebSocketRoute
from starlette.routing import Host as StarletteHost
from starlette.types import ASGIApp, Scope

from ..callables import name_of
from ..exceptions import DeclarationError
from ..markers import Dependency
from .hosting import Host
from .route import APIWebSocketRoute, RawWebSocketRoute

T = TypeVar("T")
Declared = tuple[BaseRoute, str, tuple[Dependency, ...]]


class Watched(list[T]):
    """A list that tells of every change. If a change is refused, it is as if it had not been made."""

    def __init__(self, changed: Callable[[], None], items: Iterable[T] = ()) -> None:
        super().__init__(items)
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

    def append(self, item: T) -> None:
        """Add an item."""
        self._change(lambda: super(Watched, self).append(item))

    def extend(self, items: Iterable[T]) -> None:
        """Add items."""
        self._change(lambda: super(Watched, self).extend(items))

    def insert(self, index: SupportsIndex, item: T) -> None:
        """Add an item at a place."""
        self._change(lambda: super(Watched, self).insert(index, item))

    def remove(self, item: T) -> None:
        """Take an item out."""
        self._change(lambda: super(Watched, self).remove(item))

    def pop(self, index: SupportsIndex = -1) -> T:
        """Take out and return the item at a place."""
        item: T = self._change(lambda: super(Watched, self).pop(index))
        return item

    def clear(self) -> None:
        """Take all out."""
        self._change(super().clear)

    def reverse(self) -> None:
        """Turn the order round."""
        self._change(super().reverse)

    def sort(self, **options: Any) -> None:
        """Bring the items into an order."""
        self._change(lambda: super(Watched, self).sort(**options))

    def __setitem__(self, index: Any, item: Any) -> None:
        self._change(lambda: super(Watched, self).__setitem__(index, item))

    def __delitem__(self, index: Any) -> None:
        self._change(lambda: super(Watched, self).__delitem__(index))

    def __iadd__(self, items: Iterable[T]) -> Self:  # type: ignore[override,misc]  # list's __add__ takes lists only
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
        # The routes without parameters by their paths, as far as they were asked for; mounts, hosts and their like decide by
        # more than the whole path, so what stands behind the first of them is searched each time.
        self._known: dict[str, APIWebSocketRoute] = {}
        self._own = 0
        self._asked: list[tuple[APIWebSocketRoute | None, BaseRoute]] = []

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
        self._known = {}
        self._own = next((number for number, route in enumerate(routes) if _decides_by_more(route)), len(routes))
        self._asked = [(_ours(route), route) for route in routes]

    def taker(self, scope: Scope) -> ASGIApp:
        """What serves the scope: for a handshake the first of our routes that takes it, else Starlette's router."""
        if scope["type"] == "websocket":
            path = get_route_path(scope)
            known = self._known.get(path)
            if known is not None and known.takes(scope, path):
                return known.app
            for number, (ours, route) in enumerate(self._asked):
                if ours is None:
                    if route.matches(scope)[0] is not Match.NONE:
                        break  # it has ways of its own, which Starlette's router goes
                elif ours.takes(scope, path):
                    if number < self._own and not ours.param_convertors:
                        self._known[path] = ours
                    return ours.app
        return self.router.app


def _ours(route: BaseRoute) -> APIWebSocketRoute | None:
    """The route, if it matches and serves as `APIWebSocketRoute` does; a subclass may do so in its own way."""
    if not isinstance(route, APIWebSocketRoute):
        return None
    cls = type(route)
    is_plain = cls.matches is APIWebSocketRoute.matches and cls.handle is APIWebSocketRoute.handle
    return route if is_plain else None


def _decides_by_more(route: BaseRoute) -> bool:
    return _ours(route) is None and type(route) is not Route


def bind(route: BaseRoute, prefix: str, dependencies: tuple[Dependency, ...], host: Host | None) -> BaseRoute:
    """The route at its whole path. Dependencies guard sessions, those of Starlette's own routes and of mounts too.

    Raises:
        DeclarationError: It is no route, or a parameter of it can never be filled.
    """
    if not isinstance(cast(object, route), BaseRoute):
        raise DeclarationError.at(
            "routes=[...]", f"{name_of(route)} is no route", fix="give routes; controllers go to App(controllers=[...])"
        )
    if isinstance(route, APIWebSocketRoute):
        return route.bound(prefix=prefix, dependencies=dependencies, host=host)
    if isinstance(route, WebSocketRoute):
        return RawWebSocketRoute.of(route).bound(prefix=prefix, dependencies=dependencies, host=host)
    if isinstance(route, Mount | StarletteHost):
        from .mounted import bind_host, bind_mount  # here, because most applications have none

        if isinstance(route, Mount):
            return bind_mount(route, prefix, dependencies, host)
        return bind_host(route, prefix, dependencies, host)
    if prefix and isinstance(route, Route):
        return Route(
            prefix + route.path,
            route.endpoint,
            methods=None if route.methods is None else sorted(route.methods),
            name=route.name,
            include_in_schema=route.include_in_schema,
        )
    return route
