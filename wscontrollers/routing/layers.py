"""The two layers that an app puts around its sessions: handlers for exceptions inside, the last resort outside.

Starlette's own layers wrap `send` for every frame; these look at the session's state only when something failed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from ..websockets import ServedWebSocket
from .failures import Incident, end, ends_well, handle, handler_of, meant

HANDLERS = "starlette.exception_handlers"


class ExceptionLayer(ExceptionMiddleware):
    """Starlette's for HTTP; for WebSockets the same choice of handlers without a wrapper around each frame."""

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, ExceptionHandler], *, debug: bool = False) -> None:
        super().__init__(app, handlers, debug)
        self.handlers = self._exception_handlers, self._status_handlers
        """By class and by status: where a route finds them, in the scope under `HANDLERS`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        scope[HANDLERS] = self.handlers
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if not await self.answered(error, scope, receive, send):
                raise

    async def answered(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer what left a session; False if nobody handles it."""
        cause = meant(error)
        handler = handler_of(cause, self._exception_handlers, self._status_handlers)
        if handler is None and not ends_well(error, scope):
            return False
        websocket = Incident.of(scope).websocket or ServedWebSocket(scope, receive, send)
        if handler is not None:
            await handle(handler, cause, websocket)
        await end(websocket)
        return True


class Fork:
    """Sessions go one way and everything else another; it is no coroutine of its own, for which every session would pay.

    Args:
        sessions: What serves sessions.
        others: What serves everything else, with Starlette's last resort around it.
    """

    def __init__(self, sessions: ASGIApp, *, others: ASGIApp) -> None:
        self.sessions = sessions
        self.others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self.sessions if scope["type"] == "websocket" else self.others)(scope, receive, send)
