"""Serving sessions that can be resumed: a handshake opens one, or is the next connection of one that is there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from ..logs import logger_of
from ..session.framing import SPOKEN_KEY
from ..session.holding import LINE_KEY, SENDS_KEY
from ..session.loops import start_detached
from ..session.resuming.carrying import carry, run
from ..session.resuming.connection import Connection
from ..session.resuming.keeper import keeper
from ..session.resuming.kept import Asked
from ..session.resuming.line import Line
from ..session.resuming.resume import Resume
from ..websockets import ServedWebSocket
from .failures import Incident

if TYPE_CHECKING:
    from ..groups.moving import Mover
    from .hosting import Host

logger = logger_of("wscontrollers.session")

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
        host: The application that serves them.
    """

    def __init__(self, app: ASGIApp, resume: Resume, host: Host) -> None:
        self._app = app
        self._resume = resume
        self._host = host
        host.resumes.append(resume)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        connection = Connection(scope, receive, send, ends_with_server=not self._host.is_running)
        asked = self._asked(connection)
        line = None if asked is None else keeper().find(asked.session, self._host)
        if asked is not None and line is not None and line.claim(connection, asked):
            _continue(scope, line)
            await carry(line, connection, asked.received)
            return
        mover = _mover(self._host) if self._resume.is_shared else None
        if mover is not None:
            mover.begin(self._host)
        kept = None if asked is None or line is not None or mover is None else await mover.take(asked)
        line = Line(self._resume, connection, self._host, kept=kept, has=0 if asked is None else asked.received)
        await self._open(line, connection)

    async def _open(self, line: Line, connection: Connection) -> None:
        scope = connection.scope
        scope[LINE_KEY] = line
        keeper().keep(line)

        async def serve() -> None:
            failure = await run(line, self._app, scope)
            scope.pop(LINE_KEY, None)
            mover = _mover(self._host)
            if mover is not None and line.kept is not None:  # its client was never told that it goes on here
                mover.leave_later(line.kept)
            if isinstance(failure, Exception):
                with suppress(Exception):  # under a TestClient it is raised, and here is nobody who hears of it
                    await Incident.of(scope).last_resort(failure, ServedWebSocket(scope, line.receive, line.send))

        line.task = start_detached(serve)
        await carry(line, connection)

    def _asked(self, connection: Connection) -> Asked | None:
        """What the client asks for; None where it has no ticket, or is none that may use one."""
        given = _given(connection.scope)
        ticket = None if given is None else self._resume.tickets.read(given[0])
        origins = self._host.origins
        if given is None or ticket is None or not (origins is None or origins.allows(connection.scope)):
            return None
        return Asked.by(connection, ticket, given[1])


def _continue(scope: Scope, line: Line) -> None:
    """Let those who look at the scope of another connection find what they look for in that of the first one."""
    Incident.of(scope).websocket = line.websocket
    scope.update({key: line.scope[key] for key in (SENDS_KEY, SPOKEN_KEY) if key in line.scope})


def _given(scope: Scope) -> tuple[str, int] | None:
    """The ticket in the URL, and how many frames its client received; None where it has none."""
    query: bytes = scope.get("query_string", b"")
    if TICKET.encode() not in query:
        return None
    try:
        given = dict(parse_qsl(query.decode("latin-1"), max_num_fields=1000))
    except ValueError:
        return None
    ticket, received = given.get(TICKET), given.get(RECEIVED, "0")
    if ticket is None or not (received.isascii() and received.isdigit() and len(received) <= 18):
        return None
    return ticket, int(received)


async def end_sessions(host: Host) -> None:
    """End the sessions of an application that can be resumed, and wait until they are over.

    Where other processes can read their tickets, they are left to those.
    """
    lines = list(keeper().of(host))
    mover = _mover(host) if any(resume.is_shared for resume in host.resumes) else None
    async with anyio.create_task_group() as tasks:
        for line in lines:
            kept = None if mover is None else line.leave()
            if mover is not None and kept is not None:
                tasks.start_soon(mover.leave, kept)
            else:
                line.stop()
        with anyio.move_on_after(_PATIENCE):
            for line in lines:
                await line.done.wait()


def _mover(host: Host) -> Mover | None:
    """What moves sessions between processes, where there can be several."""
    return host.groups.mover if host.has_groups and host.groups.engine.is_shared else None


def warn_of(host: Host) -> None:
    """Tell of sessions that could be resumed in other processes, if those could read their tickets."""
    if host.has_groups and host.groups.engine.is_shared and not all(resume.is_shared for resume in host.resumes):
        logger.warning(
            "sessions can be resumed in the process that has them alone: tickets are signed with a secret that no other process "
            "has. Fix: Resume(secret=...), the same one everywhere."
        )
