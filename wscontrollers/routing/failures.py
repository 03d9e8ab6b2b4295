"""What the peer is told when something fails, and who is told what really happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1011_INTERNAL_ERROR
from starlette.types import Scope

from ..callables import Kind, kind_of
from ..exceptions import HTTPException, WebSocketDisconnect, WebSocketException, WebSocketRequestValidationError
from ..logs import logger_of
from ..reports import report
from ..websockets import ServedWebSocket, WebSocket, WebSocketState

logger = logger_of("wscontrollers.session")

Handler = Callable[[Any, Any], Any]
Handlers = Mapping[Any, Handler]

_SCOPE_KEY = "wscontrollers.incident"
_RAISE_KEY = "wscontrollers.raise_exceptions"
_NO_BODY = (204, 205, 304)


class Incident:
    """What is known of one handshake, for the case that something goes wrong in it.

    An app puts one into the scope before anything else runs; a route that finds none is on its own in another application.
    """

    __slots__ = ("id", "is_ours", "websocket")

    def __init__(self, *, is_ours: bool) -> None:
        self.is_ours = is_ours
        self.websocket: ServedWebSocket | None = None
        self.id: str | None = None

    @classmethod
    def of(cls, scope: Scope) -> Incident:
        """The incident of the app that serves the scope, or a new one."""
        found = scope.get(_SCOPE_KEY)
        return found if isinstance(found, cls) else cls(is_ours=False)

    @staticmethod
    def note(websocket: ServedWebSocket) -> None:
        """Let the app that serves a session know its WebSocket."""
        found = websocket.scope.get(_SCOPE_KEY)
        if found is not None:
            found.websocket = websocket

    @classmethod
    def begin(cls, scope: Scope) -> Incident | None:
        """Put a new incident into the scope of an app; None if an app around it has put one there."""
        if _SCOPE_KEY in scope:
            return None
        incident = scope[_SCOPE_KEY] = cls(is_ours=True)
        return incident

    async def unhandled(self, error: Exception, websocket: ServedWebSocket) -> None:
        """An exception left a route without a handler. Below an app it goes on to the app's middleware and last resort.

        In another application the peer gets its answer here, and the exception goes on to that application's own reports.
        """
        if not self.is_ours and not websocket.scope.get(_RAISE_KEY):
            await fail(websocket)
        raise error

    async def last_resort(self, error: Exception, fallback: ServedWebSocket, app: object = None) -> None:
        """Nobody handled it: log it in full, once, and tell the peer what the application's handler for `Exception` says.

        Without one, or if that fails too, the peer is told no more than that it happened. Under a `TestClient` that raises the
        application's exceptions it is raised instead; an `AsyncTestClient` gets a report.

        Args:
            error: What left the session.
            fallback: Its WebSocket, if no route had it.
            app: The application outside of all, which is asked for its handler if the one inside has none.
        """
        websocket = self.websocket or fallback
        raised = bool(fallback.scope.get(_RAISE_KEY))
        if not raised:
            self.id = token_hex(8)
            logger.error("session %s: unhandled exception at %r", self.id, fallback.scope.get("path", ""), exc_info=error)
            report(fallback.scope, error)
        handler = self._final_handler(fallback.scope.get("app"), app)
        if handler is not None and not is_departure(error):
            try:
                await handle(handler, error, websocket)
            except Exception:
                logger.exception("the handler for Exception failed, of the exception above")
        if raised:
            raise error
        await fail(websocket)

    def _final_handler(self, *apps: object) -> Handler | None:
        """The handler for `Exception` or 500 of the innermost application that has one; Starlette asks it for HTTP alone."""
        for app in apps if self.is_ours else ():
            handlers: Handlers = getattr(app, "exception_handlers", {})
            for key in (Exception, 500):
                if key in handlers:
                    return handlers[key]
        return None


def ends_well(error: BaseException, scope: Scope) -> bool:
    """Whether an exception without a handler is a session's good end: the peer left.

    Under a `TestClient` that raises the application's exceptions it is raised like any other, as Starlette's does it.
    """
    return is_departure(error) and not scope.get(_RAISE_KEY)


def is_departure(error: BaseException) -> bool:
    """Whether an exception says no more than that the peer left, be it raised in several tasks of a group at once."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(is_departure(part) for part in group.exceptions)
    return isinstance(error, WebSocketDisconnect)


def meant(error: Exception) -> Exception:
    """What handlers are asked for: the one exception that a task group wrapped, or the exception itself.

    `raise Denied(...)` in a task group arrives as a group of one, perhaps beside tasks that only say that the peer left.
    """
    causes = [cause for cause in _causes(error) if not is_departure(cause)]
    return causes[0] if len(causes) == 1 and isinstance(causes[0], Exception) else error


def _causes(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [cause for part in group.exceptions for cause in _causes(part)]


async def fail(websocket: ServedWebSocket) -> None:
    """Tell the peer that something failed here: HTTP 500 before the accept, 1011 afterwards, no detail."""
    with suppress(Exception):  # the connection is of no use any more, whatever closing it says
        if websocket.is_connecting:
            await deny(websocket, 500, "Internal Server Error")
        elif websocket.application_state is WebSocketState.CONNECTED:
            await websocket.close(WS_1011_INTERNAL_ERROR, "Internal error")


async def deny(websocket: WebSocket, status_code: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
    """Refuse a handshake with an HTTP answer; a server without that extension sends its own 403."""
    response = (
        Response(None, status_code, headers)
        if status_code in _NO_BODY
        else JSONResponse({"detail": detail}, status_code, headers)
    )
    await respond(websocket, response)


async def respond(websocket: WebSocket, response: Response) -> None:
    """Answer a handshake that has no answer yet; nothing happens if its peer is gone."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        with suppress(OSError):
            await response(websocket.scope, websocket.receive, websocket.send)
    else:
        await close(websocket, WS_1008_POLICY_VIOLATION)


async def close(websocket: WebSocket, code: int, reason: str | None = None) -> None:
    """Close a session; nothing happens if its peer is gone."""
    with suppress(OSError):
        await websocket.close(code, reason)


async def end(websocket: ServedWebSocket) -> None:
    """Close what the endpoint left open, so that the peer sees 1000 and never a broken connection."""
    if websocket.is_open or websocket.is_connecting:
        with suppress(OSError, RuntimeError):  # the peer left in this moment
            await websocket.close(*websocket.closing)


async def answer(error: Exception, websocket: ServedWebSocket) -> bool:
    """Let the application's handler for an exception answer it, or the default one.

    Returns:
        Whether there was a handler.
    """
    by_class, by_status = websocket.scope.get("starlette.exception_handlers", ({}, {}))
    handler = handler_of(error, by_class, by_status)
    if handler is None:
        return False
    await handle(handler, error, websocket)
    return True


def handler_of(error: Exception, by_class: Handlers, by_status: Handlers) -> Handler | None:
    """The handler of an exception's status, else of the nearest of its classes; the default where there is none of the app."""
    if isinstance(error, HTTPException) and error.status_code in by_status:
        return by_status[error.status_code]
    for cls in type(error).__mro__:
        if cls in by_class:
            return by_class[cls]
    for cls in type(error).__mro__:
        if cls in DEFAULT_HANDLERS:
            return DEFAULT_HANDLERS[cls]
    return None


async def handle(handler: Handler, error: Exception, websocket: ServedWebSocket) -> None:
    """Call a handler, in a thread if it is a plain function, and send the HTTP answer that it may return.

    After the accept an answer becomes a close, with the detail of an `HTTPException` as its reason.
    """
    if kind_of(handler) is Kind.AWAIT:
        response = await cast(Awaitable[Any], handler(websocket, error))
    else:
        response = await run_in_threadpool(handler, websocket, error)
    if response is None:
        return
    if websocket.is_connecting:
        await respond(websocket, response)
    elif websocket.is_open:
        # An HTTP answer after the accept is against the protocol: RFC 6455 knows only a close from here on.
        server_fault = getattr(response, "status_code", 500) >= 500
        reason = str(error.detail) if isinstance(error, HTTPException) and not server_fault else None
        await close(websocket, WS_1011_INTERNAL_ERROR if server_fault else WS_1008_POLICY_VIOLATION, reason)


async def http_exception(connection: Any, error: HTTPException) -> Response:
    """The default for `HTTPException` and `Denied`: an HTTP answer with `{"detail": ...}`."""
    if isinstance(connection, WebSocket):
        status = error.status_code
        logger.info("session at %r: refused with %d", connection.scope["path"], status, extra={"kind": status})
    if error.status_code in _NO_BODY:
        return Response(None, error.status_code, error.headers)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def websocket_exception(websocket: WebSocket, error: WebSocketException) -> None:
    """The default for `WebSocketException`: its code and reason, unless the session is closed already."""
    if websocket.application_state in (WebSocketState.CONNECTING, WebSocketState.CONNECTED):
        await close(websocket, error.code, error.reason)


async def invalid_parameters(websocket: WebSocket, error: WebSocketRequestValidationError) -> None:
    """The default for invalid parameters: 1008, which before the accept is an HTTP 403 on the wire."""
    _note_invalid(websocket, error)
    if websocket.application_state in (WebSocketState.CONNECTING, WebSocketState.CONNECTED):
        await close(websocket, WS_1008_POLICY_VIOLATION, "Invalid parameters")


async def invalid_parameters_answered(websocket: WebSocket, error: WebSocketRequestValidationError) -> Response:
    """The other choice for invalid parameters: HTTP 422 with the errors, without what was sent."""
    _note_invalid(websocket, error)
    told = [{"loc": list(detail["loc"]), "type": detail["type"], "msg": detail["msg"]} for detail in error.errors()]
    return JSONResponse({"detail": told}, 422)


def _note_invalid(websocket: WebSocket, error: WebSocketRequestValidationError) -> None:
    """Say in the log which parameters are not valid, but nothing of what was sent for them."""
    faults = [f"{'.'.join(map(str, detail['loc'][:2]))[:80]}: {detail['type']}" for detail in error.errors()[:3]]
    logger.info("session at %r: refused, its parameters are not valid: %a", websocket.scope["path"], faults)


DEFAULT_HANDLERS: Handlers = {
    HTTPException: http_exception,
    WebSocketException: websocket_exception,
    WebSocketRequestValidationError: invalid_parameters,
}
