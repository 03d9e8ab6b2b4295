"""Plain endpoints of Starlette: how they are called, and what they have to be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from ..callables import AnyCallable, Kind, kind_of, name_of, place_of, without_partial
from ..exceptions import DeclarationError
from ..websockets import WebSocket

Adapter = Callable[[WebSocket], Any]


def adapter_of(endpoint: AnyCallable) -> Adapter:
    """A coroutine function of the WebSocket that calls a plain endpoint.

    Args:
        endpoint: An async function of the WebSocket, a `WebSocketEndpoint` class or an ASGI application.

    Raises:
        DeclarationError: It is none of these.
    """
    if not callable(cast(object, endpoint)):
        raise DeclarationError.at(
            "add_websocket_route()",
            f"{name_of(endpoint)} cannot be called",
            fix="give an async function of the WebSocket, a WebSocketEndpoint class or an ASGI application",
        )
    if not _is_function(endpoint):
        _require_application(endpoint)
        return application_adapter(endpoint)
    _require_endpoint(endpoint)

    async def as_function(websocket: WebSocket) -> None:
        await endpoint(websocket)

    return as_function


def adapter_of_route(route: WebSocketRoute) -> Adapter:
    """The same for a route of Starlette, with its middleware; a route of a class of its own may call its endpoint as it likes.

    Raises:
        DeclarationError: Its endpoint is no plain one.
    """
    if type(route) is WebSocketRoute:
        adapter_of(route.endpoint)
    return application_adapter(route.app)


def application_adapter(application: ASGIApp) -> Adapter:
    """A coroutine function of the WebSocket that calls an ASGI application."""

    async def as_application(websocket: WebSocket) -> None:
        await application(websocket.scope, websocket.receive, websocket.send)

    return as_application


def _is_function(endpoint: AnyCallable) -> bool:
    function = without_partial(endpoint)
    return inspect.isfunction(function) or inspect.ismethod(function)


def _require_endpoint(function: AnyCallable) -> None:
    if kind_of(function) is not Kind.AWAIT:
        what = "it is a generator" if kind_of(function).is_generator else "it is not async"
        raise DeclarationError.at(
            place_of(function), f"{what}, and the endpoint of a WebSocket has to be a coroutine function", fix='write "async def"'
        )
    if not _takes(function, 1):
        raise DeclarationError.at(
            place_of(function),
            "it cannot be called with the WebSocket alone, and nothing is injected into a plain endpoint",
            fix="take the WebSocket alone, or use websocket(), which injects; an ASGI application goes to mount()",
        )


def _require_application(application: AnyCallable) -> None:
    if not _takes(application, 3) or (inspect.isclass(application) and not hasattr(application, "__await__")):
        raise DeclarationError.at(
            place_of(application),
            "it is no async function of the WebSocket, no WebSocketEndpoint class and no ASGI application",
            fix="write an async function, derive the class from WebSocketEndpoint, or give an application",
        )


def _takes(call: AnyCallable, count: int) -> bool:
    """Whether a call can be made with so many arguments by position, as far as its signature is known."""
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
