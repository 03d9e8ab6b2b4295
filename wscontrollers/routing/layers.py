"""The two layers that an app puts around its sessions: handlers for exceptions inside, the last resort outside.

Starlette's own layers wrap `send` for every frame; these look at the session's state only when something failed.
"""

from __future__ import annotations

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ..websockets import ServedWebSocket
from .failures import Incident, end, ends_well, handle, handler_of, meant


class ExceptionLayer(ExceptionMiddleware):
    """Starlette's for HTTP; for WebSockets the same choice of handlers without a wrapper around each frame."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        scope["starlette.exception_handlers"] = (self._exception_handlers, self._status_handlers)
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            cause = meant(error)
            handler = handler_of(cause, self._exception_handlers, self._status_handlers)
            websocket = Incident.of(scope).websocket or ServedWebSocket(scope, receive, send)
            if handler is None and not ends_well(error, scope):
                raise
            if handler is not None:
                await handle(handler, cause, websocket)
            await end(websocket)


class LastResort:
    """The outermost layer of an app: what nobody handled is logged once and becomes HTTP 500 or a close with 1011.

    Args:
        app: What serves sessions.
        others: What serves everything else, with Starlette's last resort around it.
    """

    def __init__(self, app: ASGIApp, *, others: ASGIApp) -> None:
        self.app = app
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.others(scope, receive, send)
            return
        incident = Incident.begin(scope)
        if incident is None:  # Below another app, that one's handlers and last resort come behind ours.
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            await incident.last_resort(error, ServedWebSocket(scope, receive, send))
        finally:
            # The scope holds the incident: with it the WebSocket would be a cycle, and all of the session garbage to be searched.
            incident.websocket = None
