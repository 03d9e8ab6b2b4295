"""A real uvicorn on a free loopback port, in the event loop of the test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from .opening import Opening
from .run import ApplicationRun

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .network import NetworkTransport


_PATIENCE = 5
"""Seconds that sessions which did not end may hold up the server's end."""


class RealServer:
    """Serves an application, and knows which call of it belongs to which client's port.

    Args:
        app: The ASGI application, whose lifespan runs elsewhere.

    Attributes:
        address: Where it listens, once it was started.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runs: dict[int, tuple[ApplicationRun, asyncio.Future[asyncio.Task[Any]]]] = {}
        self._listening: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self.address = ("127.0.0.1", 0)

    async def start(self, state: Mapping[str, Any]) -> None:
        """Listen.

        Args:
            state: The lifespan's state.

        Raises:
            RuntimeError: The event loop is not asyncio's.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "AsyncTestClient(real=True): uvicorn runs on asyncio only. Fix: run this test with anyio's asyncio back end."
            ) from None
        config = uvicorn.Config(
            self._serve, interface="asgi3", lifespan="off", log_config=None, timeout_graceful_shutdown=_PATIENCE
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._server.lifespan.state.update(state)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        await self._server.startup([self._listening])

    async def stop(self) -> None:
        """Close every session that is still open, and the port."""
        if self._server is not None and self._listening is not None:
            await self._server.shutdown([self._listening])

    def transport(self, request: Opening, clock: VirtualClock) -> NetworkTransport:
        """A client's way to this server.

        Args:
            request: The handshake.
            clock: The time that the session lives by.
        """
        from .network import NetworkTransport

        return NetworkTransport(self, request, self.address, clock)

    def expect(self, port: int, run: ApplicationRun) -> asyncio.Future[asyncio.Task[Any]]:
        """Tell what the application does for a client to its run.

        Args:
            port: The client's own port.
            run: What is told.

        Returns:
            The task that serves the client, once it does.
        """
        task: asyncio.Future[asyncio.Task[Any]] = asyncio.get_running_loop().create_future()
        self._runs[port] = (run, task)
        return task

    def forget(self, port: int) -> None:
        """A client's session is over."""
        self._runs.pop(port, None)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = self._runs.get(scope["client"][1]) if scope["type"] == "websocket" else None
        if known is None:
            await self._app(scope, receive, send)
            return
        run, serving = known
        task = asyncio.current_task()
        assert task is not None
        serving.set_result(task)
        run.begin(scope)
        try:
            await self._app(scope, _noticing(receive, run), send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            run.raised(error, broken=ClientDisconnected)
            raise
        finally:
            run.was_told.set()
            run.ended.set()


def _noticing(receive: Receive, run: ApplicationRun) -> Receive:
    async def noticing() -> Message:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            run.was_told.set()
        return message

    return noticing
