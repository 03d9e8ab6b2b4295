"""The frame around an endpoint: solve, call, clean up, and never leave the peer without an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .. import session
from ..callables import unwrapped
from ..cancellation import failure_of
from ..container import Container, Graph
from ..dependencies import Dependant, Plan, Planned, Resolution
from ..dependencies.fields import ErrorDetail
from ..exceptions import EndpointContext, WebSocketRequestValidationError
from ..security.origins import OriginPolicy
from ..websockets import ServedWebSocket, WebSocket
from .failures import Incident, answer, deny, end, ends_well, meant
from .shielding import unwinding_scope

Endpoint = Callable[[WebSocket], Awaitable[Any]]


def websocket_session(func: Endpoint, *, origins: OriginPolicy | None = None) -> ASGIApp:
    """An ASGI application that runs `func(websocket)` for each handshake and ends the session whatever happens in it.

    Exceptions go to the application's handlers, as in Starlette; one without a handler is left to the application's last
    resort. When the function returns, the session is closed with 1000 if it did not close it itself, after its clean-ups.

    Args:
        func: The endpoint, or what `get_websocket_app` returns.
        origins: Which browsers' pages may open a session; None asks nobody.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = ServedWebSocket(scope, receive, send)
        incident = Incident.of(scope)
        incident.websocket = websocket
        if origins is not None and not origins.allows(scope):
            await deny(websocket, 403, "Origin not allowed")
            return
        try:
            await func(websocket)
        except BaseException as left:
            error = failure_of(left)
            if error is None:
                raise
            # That the peer left is the end of the session, no failure, unless the application says otherwise.
            if not await answer(meant(error), websocket) and not ends_well(error, scope):
                await incident.unhandled(error, websocket)
        if not websocket.is_over:
            await end(websocket)

    return app


def get_websocket_app(
    dependant: Dependant | Planned,
    dependency_overrides_provider: object = None,
    *,
    container: Container | None = None,
    holder: Callable[[], session.Holder] | None = None,
) -> Endpoint:
    """The endpoint as a function of the WebSocket alone: its dependencies are solved before it and cleaned up behind it.

    Args:
        dependant: What `get_dependant` returned, or a route's plans.
        dependency_overrides_provider: Who has `dependency_overrides`.
        container: What supplies services; an empty one when left out.
        holder: Gives what holds its sessions; called only if something below it asks for a `Session`.

    Raises:
        WebSocketRequestValidationError: From the returned function: the handshake's parameters are not valid.
    """
    if isinstance(dependant, Planned):
        planned = dependant
    else:
        declared = dependant
        planned = Planned(lambda graph: declared, container=container or Container(), provider=dependency_overrides_provider)
    call, path = planned.dependant.call, planned.dependant.path
    held_by = holder or cache(lambda: session.Holder(session.Contract(), call))

    # No coroutine of its own: each that waits below a session is passed with every message, and is memory while it is idle.
    def app(websocket: WebSocket) -> Awaitable[None]:
        graph, plan = planned.current()
        if plan.wants_session or plan.yields:
            return _hold(held_by(), websocket, graph, plan, path)
        return serve(websocket, graph, plan)

    async def serve(websocket: WebSocket, graph: Graph, plan: Plan) -> None:
        if plan.opens and not graph.is_open:
            await graph.ensure_open()
        if not plan.cleans_up:
            resolution = Resolution(websocket, graph.session())
            try:
                await plan.endpoint(_valid(await plan.solve(resolution), call, websocket, path))
            finally:
                resolution.scope.closed = True  # whoever kept something lazy of this session gets nothing from it any more
            return
        with unwinding_scope() as shield:
            async with Resolution(websocket, graph.session(), shield) as resolution:
                await plan.endpoint(_valid(await plan.solve(resolution), call, websocket, path))

    return app


async def _hold(holder: session.Holder, connection: WebSocket, graph: Graph, plan: Plan, path: str) -> None:
    if plan.opens and not graph.is_open:
        await graph.ensure_open()
    websocket = ServedWebSocket.of(connection)
    opened = holder.open(websocket)
    scope = graph.session()
    try:
        with unwinding_scope() as shield:
            async with Resolution(websocket, scope, shield) as resolution:
                values = _valid(await plan.solve(resolution), holder.endpoint, websocket, path)
                await holder.accept(opened)
                await holder.hold(opened, plan, values)
    finally:
        scope.closed = True
        holder.release(opened)


def _valid(solved: tuple[list[Any], list[ErrorDetail]], call: Any, websocket: WebSocket, path: str) -> list[Any]:
    values, errors = solved
    if errors:
        raise WebSocketRequestValidationError(errors, endpoint_ctx=endpoint_context(call, websocket, path))
    return values


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
