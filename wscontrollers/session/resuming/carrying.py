"""The two sides of a line at work: the session in a task of its own, and the server's calls that carry it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import anyio
from anyio import CancelScope, get_cancelled_exc_class
from starlette.types import ASGIApp, Scope

from ..outbox import GONE
from .connection import Connection
from .keeper import keeper
from .line import Line

_GOODBYE: Final = 1.0
"""Seconds that a connection has to take the close frame, after another one took its place."""


async def run(line: Line, app: ASGIApp, scope: Scope) -> BaseException | None:
    """Run a session; what it raises is raised by whoever carries it, as a server expects it of an application.

    Args:
        line: The session's line.
        app: Serves the session.
        scope: ASGI's, of the first connection.

    Returns:
        What it raised, where nobody carried it.
    """
    failure: BaseException | None = None
    try:
        with line.running:
            await app(scope, line.receive, line.send)
    except get_cancelled_exc_class():
        raise
    except BaseException as error:
        failure = error
    finally:
        keeper().forget(line)
        line.done.set()
        carrier = line.carrier
        if carrier is not None:
            carrier.failure, failure = failure, None
            carrier.running.cancel()
    return failure


async def carry(line: Line, connection: Connection, received: int | None = None) -> None:
    """Carry a session over a connection, until that is lost, the session is over, or another connection took its place.

    Args:
        line: The session's line.
        connection: The first one, or one that `Line.claim` let in.
        received: How many frames its client received before, if it is not the first one.

    Raises:
        BaseException: What the session raised.
    """
    line.carrier = connection
    try:
        with connection.running:
            if received is None or await line.took_up(connection, received):
                await _pump(line, connection)
        if connection.is_replaced:
            await _dismiss(connection)
        elif not connection.is_lost:
            await _ended(line)
    finally:
        if not line.done.is_set():  # else whoever answers what it raised needs the connection still
            line.lose(connection)
        if line.carrier is connection:
            line.carrier = None
    if connection.failure is not None:
        raise connection.failure


async def _pump(line: Line, connection: Connection) -> None:
    while True:
        event = await connection.receive()
        if event["type"] != "websocket.disconnect":
            await line.offer(event)
        elif connection.has_left(event):
            line.over(event)
            return
        else:
            line.lose(connection, connection.told(event))
            return


async def _ended(line: Line) -> None:
    """Wait until the session is over, as its server does; who is cancelled here cancels it."""
    try:
        await line.done.wait()
    except get_cancelled_exc_class():
        line.running.cancel()
        with CancelScope(shield=True):
            await line.done.wait()
        raise


async def _dismiss(connection: Connection) -> None:
    """Close a connection whose place another one took, if anybody is there."""
    with suppress(*GONE), anyio.move_on_after(_GOODBYE):
        await connection.send({"type": "websocket.close", "code": 1000, "reason": "resumed by another connection"})
