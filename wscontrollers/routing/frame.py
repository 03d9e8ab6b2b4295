"""The frame around an endpoint: solve, call, clean up, and never leave the peer without an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .. import session
from ..callables import unwrapped
from ..cancellation import failure_of
from ..container import Container, Graph
from ..dependencies import Dependant, Plan, Planned, Resolution
from ..dependencies.routine import Called
from ..exceptions import EndpointContext, WebSocketRequestValidationError
from ..logs import logger_of
from ..security.origins import OriginPolicy
from ..websockets import ServedWebSocket, WebSocket
from .failures import Incident, answer, deny, end, ends_well, meant
from .shielding import unwinding_scope

logger = logger_of("wscontrollers.session")

Endpoint = Callable[[WebSocket], Awaitable[Any]]


def websocket_session(func: Endpoint, *, origins: OriginPolicy | None = None) -> ASGIApp:
    """An ASGI application that runs `func(websocket)` for each handshake and ends the session whatever happens in it.

    Exceptions go to the application's handlers, as in Starlette; one without a handler is left to the application's last
    resort. When the function returns, the session is closed with 1000 if it did not close it itself, after its clean-ups.

    Args:
        func: The endpoint, or what `get_websocket_app` returns.
        origins: Which browsers' pages may open a session; None asks nobody.
    """
    framed = framed_session(func, origins)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await framed(scope, receive, send)

    return app


def framed_session(func: Endpoint, origins: OriginPolicy | None = None) -> ASGIApp:
    """What `websocket_session` returns, as a function that is no coroutine function, for those who know what it is.

    Each coroutine that waits below a session is passed with every message, and is memory while the session is idle.
    """
    serve = func.serve if isinstance(func, PlannedEndpoint) else partial(_serve, func)

    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        websocket = ServedWebSocket(scope, receive, send)
        Incident.note(websocket)
        if origins is not None and not origins.allows(scope):
            logger.info("session at %r: refused with 403, its origin is not allowed", scope["path"])
            return deny(websocket, 403, "Origin not allowed")
        return serve(websocket, websocket)

    return app


async def _serve(func: Endpoint, websocket: WebSocket, framed: ServedWebSocket) -> None:
    guard = _guard(framed, session.DEFAULT_LIMITS.stall)
    try:
        try:
            await func(websocket)
        except BaseException as left:
            if not await _answered(left, framed):
                raise
        if not framed.is_over:
            await end(framed)
    finally:
        if guard is not None:
            guard.over()


def _guard(framed: ServedWebSocket, stall: float | None) -> session.StallGuard | None:
    """Have the writes of a WebSocket looked at on which no session is held, if its server is known."""
    server = session.server_of(framed.send_event)
    framed.guard = guard = None if server is None else session.stall_guard(server, framed.scope, stall)
    return guard


async def _answered(left: BaseException, websocket: ServedWebSocket) -> bool:
    """Answer what left an endpoint; False if that is no failure, but wants to go on."""
    error = failure_of(left)
    if error is None:
        return False
    # That the peer left is the end of the session, no failure, unless the application says otherwise.
    if not await answer(meant(error), websocket) and not ends_well(error, websocket.scope):
        await Incident.of(websocket.scope).unhandled(error, websocket)
    return True


class PlannedEndpoint:
    """An endpoint as a function of the WebSocket alone: its dependencies are solved before it and cleaned up behind it.

    Args:
        planned: Its plans.
        holder: Gives what holds its sessions.
        direct: Whether frames may go past the server, where that comes to the same.
        stall: Seconds that what waits for the peer may make no progress, where no session is held.
    """

    __slots__ = ("_call", "_direct", "_holder", "_path", "_planned", "_stall")

    def __init__(
        self,
        planned: Planned,
        holder: Callable[[], session.Holder],
        *,
        direct: bool = False,
        stall: float | None = session.DEFAULT_LIMITS.stall,
    ) -> None:
        self._planned = planned
        self._holder = holder
        self._direct = direct
        self._stall = stall
        self._call, self._path = planned.dependant.call, planned.dependant.path

    def __call__(self, websocket: WebSocket) -> Awaitable[None]:
        """Run it.

        Raises:
            WebSocketRequestValidationError: The handshake's parameters are not valid.
        """
        return self.serve(websocket)

    async def serve(self, websocket: WebSocket, framed: ServedWebSocket | None = None) -> None:
        """Run it, and end the session as `websocket_session` does, in one coroutine for both.

        Args:
            websocket: The session's.
            framed: The same, if it is to be ended.
        """
        guard: session.StallGuard | None = None
        try:
            try:
                graph, plan = self._planned.current()
                if plan.opens and not graph.is_open:
                    await graph.ensure_open()
                is_held = plan.wants_session or plan.yields
                if framed is not None and not is_held:
                    framed.finds_way = session.way_past if self._direct else None
                    guard = _guard(framed, self._stall)
                if is_held:
                    await _hold(self._holder(), websocket, graph, plan, self._path)
                elif plan.cleans_up:
                    with unwinding_scope() as shield:
                        async with Resolution(websocket, graph.session(), shield) as resolution:
                            await self._valid(await plan.call(resolution), websocket)
                else:
                    resolution = Resolution(websocket, graph.session())
                    try:
                        await self._valid(await plan.call(resolution), websocket)
                    finally:
                        resolution.scope.closed = True  # whoever kept something lazy of it gets nothing from it any more
            except BaseException as left:
                if framed is None or not await _answered(left, framed):
                    raise
            finally:
                if framed is not None and framed.way is not None:
                    framed.way.leave(framed)
            if framed is not None and not framed.is_over:
                await end(framed)
        finally:
            if guard is not None:
                guard.over()

    def _valid(self, called: Called, websocket: WebSocket) -> Awaitable[Any]:
        endpoint, errors = called
        if endpoint is None:
            raise WebSocketRequestValidationError(errors, endpoint_ctx=endpoint_context(self._call, websocket, self._path))
        return endpoint


def get_websocket_app(
    dependant: Dependant | Planned,
    dependency_overrides_provider: object = None,
    *,
    container: Container | None = None,
    holder: Callable[[], session.Holder] | None = None,
    direct: bool = False,
    stall: float | None = session.DEFAULT_LIMITS.stall,
) -> Endpoint:
    """The endpoint as a function of the WebSocket alone: its dependencies are solved before it and cleaned up behind it.

    Args:
        dependant: What `get_dependant` returned, or a route's plans.
        dependency_overrides_provider: Who has `dependency_overrides`.
        container: What supplies services; an empty one when left out.
        holder: Gives what holds its sessions; called only if something below it asks for a `Session`.
        direct: Whether frames may go past the server, where that comes to the same.
        stall: Seconds that what waits for a peer may make no progress, where no session is held; None bounds nothing.

    Raises:
        WebSocketRequestValidationError: From the returned function: the handshake's parameters are not valid.
    """
    if isinstance(dependant, Planned):
        planned = dependant
    else:
        declared = dependant
        planned = Planned(lambda graph: declared, container=container or Container(), provider=dependency_overrides_provider)
    holder = holder or cache(lambda: session.Holder(session.Contract(), planned.dependant.call))
    return PlannedEndpoint(planned, holder, direct=direct, stall=stall)


async def _hold(holder: session.Holder, connection: WebSocket, graph: Graph, plan: Plan, path: str) -> None:
    websocket = ServedWebSocket.of(connection)
    opened = holder.open(websocket)
    scope = graph.session()
    try:
        with unwinding_scope() as shield:
            async with Resolution(websocket, scope, shield) as resolution:
                values, errors = await plan.solve(resolution)
                if errors:
                    raise WebSocketRequestValidationError(errors, endpoint_ctx=endpoint_context(holder.endpoint, websocket, path))
                await holder.accept(opened)
                await holder.hold(opened, plan, values)
    finally:
        scope.closed = True
        holder.release(opened)


def endpoint_context(call: Any, websocket: WebSocket, path: str) -> EndpointContext:
    """Where an endpoint stands, for the text of an error: function, file, line, and the path below its mounts."""
    mount = str(websocket.scope.get("root_path", "")).rstrip("/")
    context = EndpointContext(path=f"WS {mount}{path}")
    function = unwrapped(call)
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", None)
    if name is not None:
        context["function"] = name
    if code is not None:
        context["file"], context["line"] = code.co_filename, code.co_firstlineno
    return context
