"""Applications that are mounted below an app: guarded as plain WebSocket routes are, and bound to it if they are routers."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from starlette.routing import BaseRoute, Host, Mount, Router, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from ..callables import place_of
from ..exceptions import RouteError
from ..markers import Dependency, Place
from .hosting import Guest
from .hosting import Host as ServingHost
from .route import APIWebSocketRoute, RawWebSocketRoute


class GuardedApplication:
    """A mounted application whose sessions begin only when the dependencies of its routers are solved.

    HTTP requests pass: dependencies are those of a handshake. The application asks its own origins, if it is one of ours.
    """

    def __init__(self, app: ASGIApp, guard: ASGIApp) -> None:
        self.app = app
        self._guard = guard

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes of the application, whose names Starlette looks for here."""
        routes: Sequence[BaseRoute] = getattr(self.app, "routes", ())
        return routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._guard if scope["type"] == "websocket" else self.app)(scope, receive, send)


def bind_mount(route: Mount, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Mount:
    """A mount behind a prefix, guarded by dependencies; a router that is mounted is served with the host.

    Raises:
        DeclarationError: A parameter below it can never be filled.
    """
    bound = route
    if prefix or dependencies:
        bound = copy(route)
        bound.path = prefix + route.path
        bound.path_regex, bound.path_format, bound.param_convertors = compile_path(bound.path + "/{path:path}")
        bound.app = _guarded(route.app, bound.path, dependencies, host)
    if host is not None:
        _check(bound, host)
    return bound


def bind_host(route: Host, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Host:
    """A host behind a prefix, guarded by dependencies; see `bind_mount`.

    Raises:
        DeclarationError: A parameter below it can never be filled.
    """
    bound = route
    if prefix or dependencies:
        bound = copy(route)
        # What guards it knows the parameters of both, of the host's name and of the prefix.
        bound.app = _guarded(route.app, f"{prefix}/{route.host}", dependencies, host)
        if prefix:
            bound.app = Router(routes=[Mount(prefix, app=bound.app)])
    if host is not None:
        _check(bound, host)
    return bound


def _guarded(app: ASGIApp, path: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> ASGIApp:
    if not dependencies:
        return app
    guest: object = app
    if isinstance(guest, Guest) and host is not None:  # as if it were included: what both depend on is called once
        served: ASGIApp = guest.served_by(host, dependencies)
        return served
    from .raw import application_adapter  # here, because few mounts are guarded

    raw = RawWebSocketRoute(path or "/", app, name="mounted", adapter=application_adapter(app))
    guarding = copy(host)
    if guarding is not None:  # its own policy for origins, if it has one, may let more in than ours
        guarding.origins = None
    return GuardedApplication(app, raw.bound(prefix="", dependencies=dependencies, host=guarding).app)


def _check(mounted: Any, host: ServingHost, above: frozenset[str] = frozenset()) -> None:
    """Bind what is ours below a mount, so that its faults are told where it is mounted and not by its first session.

    An application that is mounted has a container of its own; a router has none.

    Args:
        mounted: A mount, or what is below it.
        host: What the application gives.
        above: The parameters in the paths of the mounts.
    """
    if isinstance(mounted, Guest):
        served: object = mounted.served_by(host)
        routes = [served] if isinstance(served, BaseRoute) else getattr(served, "table").routes  # noqa: B009 - a router's
        for route in routes:
            if isinstance(route, APIWebSocketRoute):
                _require_own_names(route, above)
            else:
                _check(route, host, above)
    elif isinstance(mounted, Mount | Host):
        names = above.union(mounted.param_convertors) - {"path"}
        # A router of ours is guarded by its own plans; what else there is lies below guards and the middleware of a mount.
        guest: object = mounted.app
        _check(guest if isinstance(guest, Guest) else getattr(mounted, "_base_app", guest), host, names)
    elif isinstance(mounted, GuardedApplication):
        _check(mounted.app, host, above)
    elif isinstance(mounted, Router):
        for route in mounted.routes:
            _check(route, host, above)


def _require_own_names(route: APIWebSocketRoute, above: frozenset[str]) -> None:
    parameters = route.planned.plan.parameters
    for field in () if parameters is None else parameters.fields:
        if field.name in above and field.place is Place.QUERY:
            raise RouteError.at(
                f"{place_of(route.endpoint)}, parameter {field.name!r}",
                "it is in the path of a mount, which is no part of the route's, so it would be read from the query",
                fix='include the router with that path: include_router(router, prefix="/{...}")',
            )
