"""Applications that are mounted below an app: guarded as plain WebSocket routes are, and bound to it if they are routers."""

from __future__ import annotations

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
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._guard if scope["type"] == "websocket" else self._app)(scope, receive, send)


def bind_mount(route: Mount, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Mount:
    """A mount behind a prefix, guarded by dependencies; a router that is mounted is served with the host.

    Raises:
        DeclarationError: A parameter below it can never be filled.
    """
    if host is not None:
        _check(route, host)
    if not dependencies and not prefix:
        return route
    bound = copy(route)
    bound.path = prefix + route.path
    bound.path_regex, bound.path_format, bound.param_convertors = compile_path(bound.path + "/{path:path}")
    bound.app = _guarded(route.app, bound.path, dependencies, host)
    return bound


def bind_host(route: Host, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Host:
    """A host, guarded by dependencies; see `bind_mount`.

    Raises:
        RouteError: It stands behind a prefix, which a host has no place for.
        DeclarationError: A parameter below it can never be filled.
    """
    if prefix:
        raise RouteError.at(
            f"Host({route.host!r})", f"it is included behind the prefix {prefix!r}", fix="add it to the app itself, or mount it"
        )
    if host is not None:
        _check(route, host)
    if not dependencies:
        return route
    bound = copy(route)
    bound.app = _guarded(route.app, "/", dependencies, host)
    return bound


def _guarded(app: ASGIApp, path: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> ASGIApp:
    if not dependencies:
        return app
    guest: object = app
    if isinstance(guest, Guest) and host is not None:  # as if it were included: what both depend on is called once
        served: ASGIApp = guest.served_by(host, dependencies)
        return served
    raw = RawWebSocketRoute(path or "/", app, name="mounted", application=app)
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
    elif isinstance(mounted, Mount | Host):
        names = above.union(mounted.param_convertors) - {"path"}
        _check(getattr(mounted, "_base_app", mounted.app), host, names)  # below the middleware of a mount
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
