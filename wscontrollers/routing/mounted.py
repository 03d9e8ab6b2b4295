"""Applications that are mounted below dependencies: guarded as plain WebSocket routes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.routing import BaseRoute, Host, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ..exceptions import RouteError
from ..markers import Dependency
from .route import Host as ServingHost
from .route import RawWebSocketRoute


class GuardedApplication:
    """A mounted application whose sessions begin only when the dependencies of its routers are solved.

    HTTP requests pass: dependencies are those of a handshake. The application asks its own origins, if it is one of ours.
    """

    def __init__(self, app: ASGIApp, guard: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._guard = guard
        self.routes = list(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._guard if scope["type"] == "websocket" else self._app)(scope, receive, send)


def bind_mount(route: Mount, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Mount:
    """A mount behind a prefix, guarded by dependencies."""
    path = prefix + route.path
    if not dependencies:
        return Mount(path, app=route.app, name=route.name) if prefix else route
    return Mount(path, app=_guarded(route.app, path, dependencies, host, route.routes), name=route.name)


def bind_host(route: Host, prefix: str, dependencies: tuple[Dependency, ...], host: ServingHost | None) -> Host:
    """A host, guarded by dependencies.

    Raises:
        RouteError: It stands behind a prefix, which a host has no place for.
    """
    if prefix:
        raise RouteError.at(
            f"Host({route.host!r})", f"it is included behind the prefix {prefix!r}", fix="add it to the app itself, or mount it"
        )
    if not dependencies:
        return route
    return Host(route.host, app=_guarded(route.app, "/", dependencies, host, route.routes), name=route.name)


def _guarded(
    app: ASGIApp, path: str, dependencies: tuple[Dependency, ...], host: ServingHost | None, routes: Sequence[BaseRoute]
) -> GuardedApplication:
    raw = RawWebSocketRoute(path or "/", app, name="mounted", application=app)
    # Its own policy for origins, if it has one, may let more in than ours.
    asked = None if host is None else replace(host, origins=None)
    return GuardedApplication(app, raw.bound(prefix="", dependencies=dependencies, host=asked).app, routes)
