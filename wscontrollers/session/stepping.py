"""Sending without waiting: the coroutine of a send is stepped by hand, and goes on in a task only if it has to wait."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

_SERVERS = {
    ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol"),
    ("uvicorn.protocols.websockets.wsproto_impl", "WSProtocol"),
}
"""Whose `send` asks nothing of the task that calls it before it waits, and never leaves a frame half written."""


def is_steppable(send: Callable[[Any], Awaitable[None]]) -> bool:
    """Whether an ASGI `send` can be stepped: it is a known server's own, with no middleware around it.

    A middleware may enter a cancel scope or a time-out, which belong to the task that entered them.
    """
    return server_of(send) is not None


def server_of(function: Callable[..., Awaitable[Any]]) -> Any:
    """The known server whose own `send` or `receive` it is, or None."""
    server: object = getattr(function, "__self__", None)
    cls = type(server)
    return server if (cls.__module__, cls.__qualname__) in _SERVERS else None


def server_behind(*ways: Callable[..., Awaitable[Any]]) -> Any:
    """The known server whose own one of these is, or None: middleware wraps ASGI's `send` or its `receive`, and seldom both."""
    return next((server for server in map(server_of, ways) if server is not None), None)


@types.coroutine
def resumed(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on, in the task that awaits this, with a coroutine that was stepped once.

    Args:
        coroutine: It waits.
        waits_for: What it yielded.
    """
    try:
        while True:
            try:
                value = yield waits_for
            except BaseException as error:
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(value)
    except StopIteration:
        return
