"""Routers: routes that share a prefix and dependencies, and the flat table that handshakes are matched against."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import CoroutineType
from typing import Any, NoReturn, TypeVar, cast, get_origin

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from ..callables import AnyCallable, name_of, place_of
from ..exceptions import DeclarationError, RouteError
from ..markers import Dependency, listed
from ..session.contract import Contract
from ..session.limits import Limits, given_limits
from .hosting import Host, at_home
from .included import IncludedRouter
from .paths import checked_prefix
from .route import APIWebSocketRoute, RawWebSocketRoute
from .table import Table, Watched

EndpointT = TypeVar("EndpointT", bound=AnyCallable)
StatefulLifespan = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


class APIRouter(Router):
    """Routes that share a prefix and dependencies.

    What is added later, to it or to a router that it includes, is live at once wherever it was included.

    Args:
        prefix: Put before the path of each endpoint, router and controller that is added by its methods. What Starlette's methods
            add (`mount`, `host`, `add_route`), and ready routes, stand where they say, as in FastAPI.
        dependencies: Run before those of each route.
        routes: Ready routes; `Route`, `WebSocketRoute` and `Mount` of Starlette too.
        redirect_slashes: Whether an HTTP request is redirected to the path with or without a slash at its end.
        default: What answers when nothing matches.
        lifespan: Entered at start-up, inside of the lifespans of the routers and the app around it.

    Raises:
        RouteError: The prefix does not start with a slash, or ends with one.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        dependencies: Sequence[Dependency] | None = None,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
    ) -> None:
        self.prefix = checked_prefix(prefix, "APIRouter")
        self._parents: weakref.WeakValueDictionary[int, APIRouter] = weakref.WeakValueDictionary()  # routers have no hash
        self._host: Host | None = None
        self._lone_host: Host | None = None
        self._table: Table | None = None
        self._routes: Watched[BaseRoute] = Watched(self._changed)
        self._dependencies: Watched[Dependency] = Watched(self._changed, listed(dependencies, "APIRouter(dependencies=...)"))
        super().__init__(redirect_slashes=redirect_slashes, default=default, lifespan=lifespan)
        self._own_lifespan: StatefulLifespan | None = None if lifespan is None else cast(StatefulLifespan, self.lifespan_context)
        self.lifespan_context = cast("Lifespan[Any]", self._lifespans)
        self.routes.extend(routes or [])

    @property
    def routes(self) -> list[BaseRoute]:  # pyright: ignore[reportIncompatibleVariableOverride]  # Starlette's attribute, watched
        """The routes in the order in which they are asked; what is changed in the list is live at once."""
        return self._routes

    @routes.setter
    def routes(self, routes: Sequence[BaseRoute]) -> None:
        self._routes[:] = routes

    @property
    def dependencies(self) -> list[Dependency]:
        """What runs before each route's own; what is added to the list guards all routes at once, those of today too."""
        return self._dependencies

    @dependencies.setter
    def dependencies(self, dependencies: Sequence[Dependency]) -> None:
        self._dependencies[:] = listed(dependencies, "APIRouter.dependencies")

    # Declaring

    def websocket(
        self,
        path: str,
        name: str | None = None,
        *,
        dependencies: Sequence[Dependency] | None = None,
        accept: bool = True,
        limits: Limits | None = None,
    ) -> Callable[[EndpointT], EndpointT]:
        """Decorate an endpoint; the function itself is returned. The arguments are those of `add_api_websocket_route`."""

        def decorate(endpoint: EndpointT) -> EndpointT:
            self.add_api_websocket_route(path, endpoint, name, dependencies=dependencies, accept=accept, limits=limits)
            return endpoint

        return decorate

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: AnyCallable,
        name: str | None = None,
        *,
        dependencies: Sequence[Dependency] | None = None,
        accept: bool = True,
        limits: Limits | None = None,
    ) -> None:
        """Add an endpoint behind the router's prefix.

        Args:
            path: With its parameters, `"/rooms/{room}"`.
            endpoint: An async function.
            name: For `url_path_for`; the endpoint's own name when left out.
            dependencies: Run before the endpoint's own.
            accept: Whether a `Session` is accepted just before it runs; otherwise it calls `session.accept()` itself.
            limits: What its sessions may take; what is left out comes from the app.

        Raises:
            DeclarationError: The endpoint cannot be served; see `APIWebSocketRoute`.
        """
        contract = Contract(accept=accept, limits=given_limits(limits, place_of(endpoint)))
        route = APIWebSocketRoute(self.prefix + path, endpoint, name=name, dependencies=dependencies, contract=contract)
        self.routes.append(route.of_router(self))

    def websocket_route(self, path: str, name: str | None = None) -> Callable[[EndpointT], EndpointT]:
        """Decorate a plain Starlette endpoint: nothing is injected, but prefix and dependencies hold for it."""

        def decorate(endpoint: EndpointT) -> EndpointT:
            self.add_websocket_route(path, endpoint, name)
            return endpoint

        return decorate

    def add_websocket_route(self, path: str, endpoint: AnyCallable, name: str | None = None) -> None:
        """Add a plain Starlette endpoint: a function of the WebSocket, a `WebSocketEndpoint` class or an ASGI application.

        Raises:
            DeclarationError: It is none of these, or not async.
        """
        self.routes.append(RawWebSocketRoute(self.prefix + path, endpoint, name=name).of_router(self))

    def include_router(self, router: APIRouter, *, prefix: str = "", dependencies: Sequence[Dependency] | None = None) -> None:
        """Take in all routes of a router, those of today and those that are added to it later.

        Args:
            router: The router; it can be included in several, or several times.
            prefix: Put before the prefix and the paths of the router, and behind the prefix of this one.
            dependencies: Run before those of the router.

        Raises:
            RouteError: The prefix cannot be used, or the router includes this one.
            DeclarationError: It is no router, or a route's parameter can never be filled.
        """
        if not isinstance(cast(object, router), APIRouter):
            raise DeclarationError.at(
                "include_router()",
                f"{name_of(router)} is no router of wscontrollers",
                fix="give an APIRouter; a controller goes to include_controller(), an application to mount()",
            )
        prefix = checked_prefix(prefix, "include_router()")
        dependencies = listed(dependencies, "include_router(dependencies=...)")
        if router is self or router._includes(self):
            raise RouteError.at(
                "include_router()",
                "a router cannot include itself, directly or through others",
                fix="include it once, further up",
            )
        self.routes.append(IncludedRouter(router, self.prefix + prefix, dependencies, by=self))

    def include_controller(
        self, controller: type[object], *, prefix: str = "", dependencies: Sequence[Dependency] | None = None
    ) -> None:
        """Take in the routes of a controller class; it raises as `include_router` does, and for an abstract controller.

        Args:
            controller: The class; anything with a `router` is one.
            prefix: Put before the controller's own, and behind that of this router.
            dependencies: Run before those of the controller.

        Raises:
            DeclarationError: It is no controller, or one of its parameters can never be filled.
        """
        if get_origin(controller) is not None:
            raise DeclarationError.at(
                "include_controller()",
                f"{name_of(controller)} is a way to write a type, and no class of its own",
                fix=f"derive one and register that: class Of({name_of(controller)})",
            )
        router: object = getattr(controller, "router", None)
        if not isinstance(router, APIRouter):
            raise DeclarationError.at(
                "include_controller()", f"{name_of(controller)} is no controller", fix="derive the class from Controller"
            )
        self.include_router(router, prefix=prefix, dependencies=dependencies)

    # Serving

    def serve_with(self, host: Host) -> None:
        """Bind all routes, now and whenever one is added, to the application that serves them.

        Raises:
            DeclarationError: A route's parameter can never be filled.
        """
        self._host = host
        self._changed()

    def served_by(self, host: Host, dependencies: Sequence[Dependency] = ()) -> APIRouter:
        """The router as an application serves it that does not include it; see `Guest`."""
        if self._host is not None and not dependencies:
            return self
        host = self._host or host
        key = (id(self), *map(id, dependencies))
        if key not in host.guests:
            around = APIRouter(dependencies=dependencies, redirect_slashes=self.redirect_slashes, default=self.default)
            around.serve_with(host)
            around.include_router(self)
            host.guests[key] = dependencies, around
        served: APIRouter = host.guests[key][1]
        return served

    def _alone(self) -> Host:
        self._lone_host = self._lone_host or Host()
        return self._lone_host

    @property
    def table(self) -> Table:
        """All routes with their whole paths, in the order in which they are asked."""
        if self._table is None:
            self._table = Table(default=self.default, redirect_slashes=self.redirect_slashes)
            self._table.fill(self.flattened(), self._host)
        return self._table

    def flattened(
        self, prefix: str = "", dependencies: Sequence[Dependency] = ()
    ) -> Iterator[tuple[BaseRoute, str, tuple[Dependency, ...]]]:
        """Each route below the router, with what stands before its path and its dependencies."""
        own = (*dependencies, *self.dependencies)
        for route in self.routes:
            if isinstance(route, IncludedRouter):
                before = (*own, *route.guards_within(self), *route.dependencies)
                yield from route.router.flattened(prefix + route.prefix, before)
            elif isinstance(route, APIWebSocketRoute):
                yield route, prefix, (*own, *route.guards_within(self))
            else:
                yield route, prefix, own

    def app(self, scope: Scope, receive: Receive, send: Send) -> CoroutineType[Any, Any, None]:
        """Match and serve; what is returned is awaited. It is no coroutine of its own, for which every session would pay."""
        scope.setdefault("router", self)
        served: Any
        if scope["type"] == "lifespan":
            served = self.lifespan(scope, receive, send)
        else:
            bound: APIRouter = self if self._host is not None else at_home(self, scope, self._alone)
            served = bound.table.taker(scope)(scope, receive, send)
        return cast("CoroutineType[Any, Any, None]", served)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of a route.

        Raises:
            starlette.routing.NoMatchFound: There is none of this name and these parameters.
        """
        return self.table.router.url_path_for(name, **path_params)

    def _contains_router(self, *_: object) -> NoReturn:
        """What FastAPI's `include_router` asks first. It would call endpoints without their class and without their guards."""
        raise RouteError.at(
            "include_router()",
            "FastAPI cannot include a router of wscontrollers",
            fix="write register_controllers(app, Rooms), or mount the router: app.mount(path, router)",
        )

    def _changed(self) -> None:
        for router in self._included():
            router._parents[id(self)] = self
        if self._table is not None or self._host is not None:
            table = self._table or Table(default=self.default, redirect_slashes=self.redirect_slashes)
            table.fill(self.flattened(), self._host)
            self._table = table
        for parent in list(self._parents.values()):
            parent._changed()

    def _includes(self, other: APIRouter) -> bool:
        return any(router is other or router._includes(other) for router in self._included())

    def _included(self) -> Iterator[APIRouter]:
        return (route.router for route in self.routes if isinstance(route, IncludedRouter))

    @asynccontextmanager
    async def _lifespans(self, app: Any) -> AsyncGenerator[Mapping[str, Any] | None]:
        """The lifespans of this router and of all that it includes, each once, outside first; the outer ones' state wins."""
        states: list[Mapping[str, Any]] = []
        async with AsyncExitStack() as stack:
            state: Mapping[str, Any] | None
            for router in self._with_included():
                if router._own_lifespan is not None:
                    state = await stack.enter_async_context(router._own_lifespan(app))
                    states.append(state or {})
            merged = {name: value for state in reversed(states) for name, value in state.items()}
            yield merged or None

    def _with_included(self) -> list[APIRouter]:
        found: dict[int, APIRouter] = {id(self): self}
        for router in self._included():
            found |= {id(inner): inner for inner in router._with_included() if id(inner) not in found}
        return list(found.values())
