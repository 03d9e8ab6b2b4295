"""Serving sessions that can be resumed: a handshake opens one, or is the next connection of one that is there."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from ..security.origins import OriginPolicy
from ..session.holding import LINE_KEY, SENDS_KEY
from ..session.loops import start_detached
from ..session.resuming.carrying import carry, run
from ..session.resuming.connection import Connection
from ..session.resuming.keeper import keeper
from ..session.resuming.line import Line
from ..session.resuming.resume import Resume
from ..websockets import ServedWebSocket
from .failures import Incident

TICKET: Final = "resume"
"""The parameter of the URL in which a client gives its ticket."""
RECEIVED: Final = "received"
"""The parameter of the URL in which it says how many frames it received."""

_PATIENCE: Final = 30.0
"""Seconds that sessions have to come to their end when the application ends, beyond their own grace."""


class Resumable:
    """An ASGI application whose sessions outlive their connections.

    Each session runs in a task of its own. The server's calls carry it, one after the other.

    Args:
        app: Serves a session.
        resume: What is declared.
        origins: Which browsers' pages may open sessions; None asks nobody.
        owner: Whose sessions they are; see `end_sessions`.
    """

    def __init__(self, app: ASGIApp, resume: Resume, *, origins: OriginPolicy | None, owner: object) -> None:
        self._app = app
        self._resume = resume
        self._origins = origins
        self._owner = owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        connection = Connection(scope, receive, send)
        asked = _asked(scope)
        if asked is not None and (self._origins is None or self._origins.allows(scope)):
            ticket = self._resume.tickets.read(asked[0])
            line = None if ticket is None else keeper().find(ticket.session)
            if ticket is not None and line is not None and line.claim(connection, ticket.number, asked[1]):
                _continue(scope, line)
                await carry(line, connection, asked[1])
                return
        line = scope[LINE_KEY] = Line(self._resume, connection, self._owner)
        keeper().keep(line)

        async def serve(line: Line = line) -> None:
            failure = await run(line, self._app, scope)
            if isinstance(failure, Exception):
                with suppress(Exception):  # under a TestClient it is raised, and here is nobody who hears of it
                    await Incident.of(scope).last_resort(failure, ServedWebSocket(scope, line.receive, line.send))

        line.task = start_detached(serve)
        await carry(line, connection)


def _continue(scope: Scope, line: Line) -> None:
    """Let those who look at the scope of another connection find what they look for in that of the first one."""
    Incident.of(scope).websocket = line.websocket
    if SENDS_KEY in line.scope:
        scope[SENDS_KEY] = line.scope[SENDS_KEY]


def _asked(scope: Scope) -> tuple[str, int] | None:
    """The ticket in the URL, and how many frames its client received; None where it has none."""
    query: bytes = scope.get("query_string", b"")
    if TICKET.encode() not in query:
        return None
    given = dict(parse_qsl(query.decode("latin-1"), max_num_fields=1000))
    ticket, received = given.get(TICKET), given.get(RECEIVED, "0")
    if ticket is None or not (received.isascii() and received.isdigit() and len(received) <= 18):
        return None
    return ticket, int(received)


async def end_sessions(owner: object) -> None:
    """End the sessions of an application that can be resumed, and wait until they are over."""
    lines = list(keeper().of(owner))
    for line in lines:
        line.stop()
    with anyio.move_on_after(_PATIENCE):
        for line in lines:
            await line.done.wait()
