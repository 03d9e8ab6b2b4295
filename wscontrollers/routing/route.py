"""Routes: an endpoint at a path, with the dependencies of all levels it was included through."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from starlette._utils import get_route_path
from starlette.routing import Match, WebSocketRoute, get_name
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import session
from ..callables import AnyCallable, Kind, kind_of, place_of
from ..container import Graph
from ..dependencies import Dependant, Owner, Planned, Receiver, get_dependant
from ..exceptions import DeclarationError
from ..markers import Dependency, listed
from ..session.contract import Contract
from .frame import framed_session, get_websocket_app
from .hosting import Host, at_home
from .paths import compiled

if TYPE_CHECKING:
    from ..session.resuming.resume import Resume
    from .raw import Adapter
    from .router import APIRouter


class APIWebSocketRoute(WebSocketRoute):
    """An endpoint with dependencies at a path.

    It is usable alone, `Starlette(routes=[APIWebSocketRoute("/ws", endpoint)])`; a router binds a copy of it to its whole path,
    to the dependencies of all levels and to the app's container.

    Args:
        path: With its parameters, `"/rooms/{room}"`.
        endpoint: An async function, or a method together with its `owner`.
        name: For `url_path_for`; the endpoint's own name when left out.
        dependencies: Dependencies without a parameter, which run before the endpoint's own.
        dependency_overrides_provider: Who has `dependency_overrides`, for a route that is used alone.
        owner: The class of which the endpoint is a method; one instance is made for each session.
        contract: What is declared of its sessions: handlers, limits, what they send.

    Raises:
        DeclarationError: The endpoint is not async, or a parameter can never be filled, whatever the container holds.
        RouteError: The path cannot be used.
    """

    def __init__(
        self,
        path: str,
        endpoint: AnyCallable,
        *,
        name: str | None = None,
        dependencies: Sequence[Dependency] | None = None,
        dependency_overrides_provider: object = None,
        owner: Owner | None = None,
        contract: Contract | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self._dependencies = tuple(listed(dependencies, f"{place_of(endpoint)}, dependencies"))
        self.owner = owner
        self.contract = contract or Contract()
        self._provider = dependency_overrides_provider
        self._planned: Planned | None = None
        self._host: Host | None = None
        self._lone_host: Host | None = None
        self._router: APIRouter | None = None
        self._require_async()
        self._set_path(path)
        # What no container can mend is told here, where the endpoint is declared.
        get_dependant(
            path=self.path_format,
            call=self.call,
            dependencies=self.dependencies,
            owner=owner,
            whole_path=False,
            receivers=self._receivers,
        )
        self.app: ASGIApp = self._serve_alone

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Its own dependencies, of a bound route those of all levels; plans are made of them, so they stay as they are."""
        return self._dependencies

    @property
    def call(self) -> AnyCallable:
        """What is called with the solved values: the endpoint."""
        return self.endpoint

    @property
    def planned(self) -> Planned:
        """The plans of the route; for one that is used alone they are made at first use."""
        return self.served_by(self._alone()).planned if self._planned is None else self._planned

    @property
    def dependant(self) -> Dependant:
        """The endpoint and all that is below it."""
        return self.planned.dependant

    def bound(self, *, prefix: str, dependencies: Sequence[Dependency], host: Host | None) -> Self:
        """A copy of the route behind a prefix, with dependencies before its own, planned if the application is known.

        Raises:
            DeclarationError: A parameter can never be filled.
        """
        route = copy(self)
        route._dependencies = (*dependencies, *self._dependencies)
        route._set_path(prefix + self.path)
        route._planned = None
        route._host = host
        route._router = None
        route.app = route._serve_alone
        if host is not None:
            route._plan(host)
        return route

    def of_router(self, router: APIRouter) -> Self:
        """The route itself, which says from now on to which router it was added."""
        self._router = router
        return self

    def guards_within(self, router: object) -> tuple[Dependency, ...]:
        """What runs before it in a list of routes: the dependencies of the router that it was added to, if it was another one.

        Whoever takes a route out of a router does not lose what guards it: `Starlette(routes=router.routes)`.
        """
        return () if self._router is None or self._router is router else tuple(self._router.dependencies)

    def served_by(self, host: Host, dependencies: Sequence[Dependency] = ()) -> APIWebSocketRoute:
        """The route as an application serves it that does not have it among its own; see `Guest`."""
        if self._host is not None and not dependencies:
            return self
        host = self._host or host
        dependencies = (*dependencies, *self.guards_within(None))
        key = (id(self), *map(id, dependencies))
        if key not in host.guests:
            host.guests[key] = (self, dependencies), self.bound(prefix="", dependencies=dependencies, host=host)
        served: APIWebSocketRoute = host.guests[key][1]
        return served

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route takes a handshake, with what it adds to its scope."""
        if scope["type"] != "websocket":
            return Match.NONE, {}
        added: dict[str, Any] = {"path_params": scope.get("path_params", ())}
        return (Match.FULL, added) if self.takes(added, get_route_path(scope)) else (Match.NONE, {})

    def takes(self, scope: Scope, path: str) -> bool:
        """Whether the path, below any mounts, is the route's; if so, the scope is given the route and the path's parameters."""
        if not self.param_convertors:
            if path != self.path:
                return False
            parameters = dict(scope.get("path_params", ()))
        else:
            match = self.path_regex.match(path)
            if match is None:
                return False
            parameters = dict(scope.get("path_params", ()))
            try:
                for name, text in match.groupdict().items():
                    parameters[name] = self.param_convertors[name].convert(text)
            except ValueError:  # an integer of more digits than Python reads, say: the path is none of this route's
                return False
        scope["endpoint"], scope["path_params"], scope["route"] = self.endpoint, parameters, self
        return True

    def _require_async(self) -> None:
        if kind_of(self.call) is Kind.ASYNC_GENERATOR and self.owner is not None:
            return
        if kind_of(self.call) is not Kind.AWAIT:
            what = "it is a generator" if kind_of(self.call).is_generator else "it is not async"
            raise DeclarationError.at(
                place_of(self.endpoint),
                f"{what}, and the endpoint of a WebSocket has to be a coroutine function",
                fix='write "async def"',
            )

    def _set_path(self, path: str) -> None:
        self.path = path
        if path:
            self.path_regex, self.path_format, self.param_convertors = compiled(path, place_of(self.endpoint))
        else:  # allowed until the route is bound: a router's prefix may stand before it
            self.path_format = ""

    def _plan(self, host: Host) -> None:
        if not self.path:
            compiled(self.path, place_of(self.endpoint))
        limits = self.contract.limits.over(host.limits.over(session.DEFAULT_LIMITS))
        self._planned = Planned(
            self._declare,
            container=host.container,
            provider=host.provider,
            threads=host.threads,
            first_message=limits.of_first_messages,
        )

        @cache  # made when it is first asked for: most routes hold no session
        def holder() -> session.Holder:
            return session.Holder(
                self.contract, self.call, limits=host.limits, codecs=host.codecs, enrol=host.enrol, direct=host.direct
            )

        if self._receivers and self.contract.handlers is not None:
            self.contract.handlers.check_keys(frozenset(self.param_convertors))
        if self._planned.plan.wants_session or self._planned.plan.yields:
            _ = holder().wire  # so that its faults are told here
        endpoint = get_websocket_app(self._planned, holder=holder, direct=host.direct, stall=limits.stall)
        self.app = framed_session(endpoint, host.origins)
        if self.contract.resume is not None:
            self.app = self._resumable(self.contract.resume, self.app, host)

    def _resumable(self, resume: Resume, app: ASGIApp, host: Host) -> ASGIApp:
        plan = self.planned.plan
        if not (plan.wants_session or plan.yields):
            raise DeclarationError.at(
                place_of(self.endpoint),
                "it holds no Session, and a WebSocket alone cannot be resumed",
                fix='take a "session: Session", or declare it in a controller without resume = Resume()',
            )
        from .resuming import Resumable  # here, because most applications have none

        return Resumable(app, resume, host)

    @property
    def _receivers(self) -> Sequence[Receiver]:
        """The handlers of the controller, for an endpoint that yields; another one reads its messages itself."""
        handlers = self.contract.handlers
        if handlers is None or kind_of(self.call) is not Kind.ASYNC_GENERATOR:
            return ()
        return [Receiver(each.function, each.parameter, each.types, each.mark.dependencies) for each in handlers.all]

    def _declare(self, graph: Graph) -> Dependant:
        return get_dependant(
            path=self.path_format,
            call=self.call,
            dependencies=self.dependencies,
            supplier=graph,
            owner=self.owner,
            scope="function",
            receivers=self._receivers,
        )

    def _alone(self) -> Host:
        self._lone_host = self._lone_host or Host(provider=self._provider)
        return self._lone_host

    def _serve_alone(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        bound: APIWebSocketRoute = at_home(self, scope, self._alone)
        return bound.app(scope, receive, send)


class RawWebSocketRoute(APIWebSocketRoute):
    """A plain Starlette endpoint: a function of the WebSocket, a `WebSocketEndpoint` class or an ASGI application.

    Nothing is injected into it, but the dependencies of its routers guard it and its session ends as every other.

    Args:
        path: See `APIWebSocketRoute`.
        endpoint: The endpoint.
        name: See `APIWebSocketRoute`.
        dependencies: See `APIWebSocketRoute`.
        adapter: What is called in its place, with the WebSocket.

    Raises:
        DeclarationError: The endpoint cannot be called with the WebSocket alone, is not async, or is no application.
        RouteError: The path cannot be used.
    """

    def __init__(
        self,
        path: str,
        endpoint: AnyCallable,
        *,
        name: str | None = None,
        dependencies: Sequence[Dependency] | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        if adapter is None:
            from .raw import adapter_of  # here and below, because most applications have no such route

            adapter = adapter_of(endpoint)
        self._adapter = adapter
        super().__init__(path, endpoint, name=name, dependencies=dependencies)

    @classmethod
    def of(cls, route: WebSocketRoute) -> Self:
        """The same route as Starlette's own, with its middleware, below our routers; it raises as the class does."""
        from .raw import adapter_of_route

        return cls(route.path, route.endpoint, name=route.name, adapter=adapter_of_route(route))

    @property
    def call(self) -> AnyCallable:
        """What is called: the endpoint behind an adapter."""
        return self._adapter
