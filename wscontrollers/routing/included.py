"""The place of an included router in the list of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from ..markers import Dependency
from .hosting import Host, at_home
from .table import Table

if TYPE_CHECKING:
    from .router import APIRouter

_TAKEN = "wscontrollers.taken"
"""Where a scope has the route of an included router that takes it."""


class IncludedRouter(BaseRoute):
    """The place of an included router among the routes of another."""

    def __init__(self, router: APIRouter, prefix: str, dependencies: Iterable[Dependency], *, by: APIRouter) -> None:
        self.router = router
        self.prefix = prefix
        self.dependencies = tuple(dependencies)
        self._by = by
        self._lone_host: Host | None = None

    def guards_within(self, router: APIRouter) -> tuple[Dependency, ...]:
        """See `APIWebSocketRoute.guards_within`."""
        return () if self._by is router else tuple(self._by.dependencies)

    def served_by(self, host: Host, dependencies: Sequence[Dependency] = ()) -> APIRouter:
        """The included router behind its prefix, as an application serves it that has this among Starlette's routes."""
        from .router import APIRouter  # which imports this module

        key = (id(self), *map(id, dependencies))
        if key not in host.guests:
            around = APIRouter(dependencies=dependencies, routes=[self], redirect_slashes=False)
            around.serve_with(host)
            host.guests[key] = (self, dependencies), around
        served: APIRouter = host.guests[key][1]
        return served

    def _alone(self) -> Host:
        self._lone_host = self._lone_host or Host()
        return self._lone_host

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Asked by Starlette's routers only: the table of an `APIRouter` is flat."""
        partly: tuple[Match, Scope] = Match.NONE, {}
        bound: APIRouter = at_home(self, scope, self._alone)
        for route in bound.table.routes:
            match, added = route.matches(scope)
            found = match, {**added, _TAKEN: route}
            if match is Match.FULL:
                return found
            if match is Match.PARTIAL and partly[0] is Match.NONE:
                partly = found
        return partly

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of a route of the included router, behind the prefixes that this place puts before it.

        Raises:
            starlette.routing.NoMatchFound: There is none of this name and these parameters.
        """
        table = Table(default=self.router.default, redirect_slashes=False)
        table.fill(self.router.flattened(self.prefix), None)
        return table.router.url_path_for(name, **path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what `matches` found."""
        await scope.pop(_TAKEN).handle(scope, receive, send)
