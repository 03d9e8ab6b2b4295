"""The application: routes, container, exception handlers and lifespan put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, ExceptionHandler, Lifespan, Receive, Scope, Send

from .callables import AnyCallable
from .container import Container
from .controller import Controller
from .exceptions import HTTPException, WebSocketException, WebSocketRequestValidationError
from .markers import Dependency
from .registration import around, host_of_options, require
from .routing import APIRouter
from .routing.failures import Incident, http_exception, invalid_parameters, invalid_parameters_answered, websocket_exception
from .routing.hosting import let_serve
from .routing.layers import HANDLERS, ExceptionLayer, Fork
from .session.limits import Limits
from .websockets import ServedWebSocket

if TYPE_CHECKING:
    from .groups import Engine, Group, Groups
    from .messages import Codec

EndpointT = TypeVar("EndpointT", bound=AnyCallable)
HandlerT = TypeVar("HandlerT", bound=AnyCallable)


class App(Starlette):
    """A Starlette application with WebSocket routes, controllers and a container.

    Args:
        controllers: Controller classes to include, each under its own prefix.
        container: What supplies services; an empty one when left out.
        dependencies: Run first, for each WebSocket route.
        routes: Ready routes, Starlette's HTTP routes too.
        middleware: Starlette's middleware, outermost first.
        exception_handlers: By class or HTTP status; a handler takes `(websocket, exception)`.
        lifespan: Entered at start-up, when the container's resources are open; left before they are closed.
        origins: Pages from which a browser may open sessions, `"https://chat.example.org"`, besides those of the same host;
            `"*"` lets all in.
        invalid_parameters: What the peer sees: `"close"`, a close with 1008 before the accept (HTTP 403 on the wire), or
            `"answer"`, HTTP 422 with the errors.
        sync_dependencies: Where plain functions run: `"thread"`, because they may block, or `"inline"`, in the event loop.
        limits: What a session may take where its controller and its route say nothing.
        codecs: What sessions can be held in beside JSON, chosen by the client's subprotocols.
        engine: What carries groups between processes, or its URL: "redis://localhost:6379"; None keeps them within this one.
        groups: The groups of which something is declared (`Group`, `@group`), or a `Groups` with options of its own.
        direct: Whether frames of sessions, groups and plain WebSockets may go past the `send`, the `receive` and the parser of a
            known uvicorn, where that comes to the same.
        debug: Tracebacks in answers to HTTP requests.

    Raises:
        DeclarationError: A parameter can never be filled, or a binding has a fault; all of them at once.
    """

    router: APIRouter

    def __init__(
        self,
        *,
        controllers: Sequence[type[Controller]] = (),
        container: Container | None = None,
        dependencies: Sequence[Dependency] | None = None,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
        lifespan: Lifespan[Any] | None = None,
        origins: Sequence[str] = (),
        invalid_parameters: Literal["close", "answer"] = "close",
        sync_dependencies: Literal["thread", "inline"] = "thread",
        limits: Limits | None = None,
        codecs: Sequence[Codec] = (),
        engine: Engine | str | None = None,
        groups: Groups | Sequence[Group | AnyCallable] = (),
        direct: bool = True,
        debug: bool = False,
    ) -> None:
        require("App", "invalid_parameters", invalid_parameters, invalid_parameters in ("close", "answer"), '"close" or "answer"')
        require("App", "controllers", controllers, not isinstance(cast(object, controllers), type), "write controllers=[Rooms]")
        host = host_of_options(
            "App",
            self,
            container=container,
            origins=origins,
            sync_dependencies=sync_dependencies,
            limits=limits,
            codecs=codecs,
            engine=engine,
            groups=groups,
            direct=direct,
        )
        super().__init__(debug=debug, middleware=middleware, exception_handlers=exception_handlers)
        self.container = host.container
        self.dependency_overrides: dict[AnyCallable, AnyCallable] = {}
        for cls, handler in default_handlers(invalid_parameters).items():
            self.exception_handlers.setdefault(cls, handler)
        self._host = host
        self.router = APIRouter(dependencies=dependencies, lifespan=around(host, Router(lifespan=lifespan).lifespan_context))
        let_serve(self, host)
        self.router.serve_with(host)
        self.router.routes.extend(routes or [])
        for controller in controllers:
            self.include_controller(controller)

    @property
    def groups(self) -> Groups:
        """The groups of the application's sessions; they are injected wherever a parameter is a `Groups`."""
        return self._host.groups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; what nobody handled in a session is logged once, and answered by the handler for `Exception`, if there is one.

        Without one it becomes HTTP 500 or a close with 1011.
        """
        incident = Incident.begin(scope) if scope["type"] == "websocket" else None
        if incident is None:  # below another app, that one's handlers and last resort come behind ours
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        stack = self.middleware_stack
        if stack is None:
            stack = self.middleware_stack = self.build_middleware_stack()
        layer = stack.sessions if isinstance(stack, Fork) else None
        try:
            if not isinstance(layer, ExceptionLayer):
                await stack(scope, receive, send)
                return
            # Without middleware in between, what the layer does is done here: one coroutine fewer around each session.
            scope[HANDLERS] = layer.handlers
            try:
                await layer.app(scope, receive, send)
            except Exception as error:
                if not await layer.answered(error, scope, receive, send):
                    raise
        except Exception as error:
            await incident.last_resort(error, ServedWebSocket(scope, receive, send), self)
        finally:
            # The scope holds the incident: with it the WebSocket would be a cycle, and all of the session garbage to be searched.
            incident.websocket = None

    def websocket(
        self,
        path: str,
        name: str | None = None,
        *,
        dependencies: Sequence[Dependency] | None = None,
        accept: bool = True,
        limits: Limits | None = None,
    ) -> Callable[[EndpointT], EndpointT]:
        """Decorate an endpoint; the function itself is returned. See `APIRouter.add_api_websocket_route`."""
        return self.router.websocket(path, name, dependencies=dependencies, accept=accept, limits=limits)

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
        """Add an endpoint; see `APIRouter.add_api_websocket_route`."""
        self.router.add_api_websocket_route(path, endpoint, name, dependencies=dependencies, accept=accept, limits=limits)

    def websocket_route(self, path: str, name: str | None = None) -> Callable[[EndpointT], EndpointT]:
        """Decorate a plain Starlette endpoint, into which nothing is injected."""
        return self.router.websocket_route(path, name)

    def add_websocket_route(self, path: str, endpoint: AnyCallable, name: str | None = None) -> None:
        """Add a plain Starlette endpoint, into which nothing is injected."""
        self.router.add_websocket_route(path, endpoint, name)

    def include_router(self, router: APIRouter, *, prefix: str = "", dependencies: Sequence[Dependency] | None = None) -> None:
        """Take in all routes of a router, those of today and those that are added to it later."""
        self.router.include_router(router, prefix=prefix, dependencies=dependencies)

    def include_controller(
        self, controller: type[Controller], *, prefix: str = "", dependencies: Sequence[Dependency] | None = None
    ) -> None:
        """Take in the routes of a controller."""
        self.router.include_controller(controller, prefix=prefix, dependencies=dependencies)

    def exception_handler(self, exc_class_or_status_code: int | type[Exception]) -> Callable[[HandlerT], HandlerT]:
        """Decorate a handler `(websocket, exception)`; a plain function runs in a thread.

        One for `Exception` or 500 is the last that is asked, for sessions as for HTTP requests: what it is asked for is logged.
        """

        def decorate(handler: HandlerT) -> HandlerT:
            self.add_exception_handler(exc_class_or_status_code, handler)
            return handler

        return decorate

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's stack with layers that do not wrap the frames of a session."""
        handlers = dict(self.exception_handlers)
        server_error = [handlers.pop(key) for key in (Exception, 500) if key in handlers]
        app: ASGIApp = ExceptionLayer(self.router.app, handlers=handlers, debug=self.debug)
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        others = ServerErrorMiddleware(app, handler=server_error[0] if server_error else None, debug=self.debug)
        return Fork(app, others=others)


def default_handlers(invalid: Literal["close", "answer"]) -> dict[Any, Any]:
    """What handles the exceptions of this package where the application says nothing else."""
    return {
        HTTPException: http_exception,
        WebSocketException: websocket_exception,
        WebSocketRequestValidationError: invalid_parameters if invalid == "close" else invalid_parameters_answered,
    }
