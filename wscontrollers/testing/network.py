"""A session over a real socket: uvicorn on one side, a client of the `websockets` library on the other."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from starlette.datastructures import Headers
from starlette.types import Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from .answers import Accepted, Refusal
from .apart import leave_behind
from .failures import SendTimeout
from .rest import at_rest
from .transport import Transport, closed_with

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .opening import Opening
    from .server import RealServer

_RECEIVE_BUFFER = 4096
"""Bytes that the kernel may keep for a client that does not read; small, so that the server notices it soon."""

_STALL = 5.0
"""Seconds that the server may take no byte while the test sends."""

_ROUND_TRIP = 1.0
"""Seconds for a ping and its pong; a server that has stopped reading answers none."""


class NetworkTransport(Transport):
    """Frames that pass through the kernel.

    Args:
        server: The server.
        request: The handshake.
        address: Where the server listens.
        clock: The time that the session lives by.
    """

    def __init__(self, server: RealServer, request: Opening, address: tuple[str, int], clock: VirtualClock) -> None:
        super().__init__(clock)
        self._server = server
        self._request = request
        self._address = address
        self._connection: ClientConnection | None = None
        self._serving: asyncio.Future[asyncio.Task[Any]] | None = None
        self._is_reading = asyncio.Event()
        self._is_reading.set()
        self._port = 0

    async def open(self, tasks: TaskGroup) -> Accepted | Refusal:
        """Connect and send the handshake."""
        connected = socket.socket()
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, self._address)
        self._port = connected.getsockname()[1]
        self._serving = self._server.expect(self._port, self.run)
        try:
            self._connection = await connect(
                f"ws://{self._request.host}{self._request.target}",
                sock=connected,
                additional_headers=self._request.others,
                subprotocols=[Subprotocol(name) for name in self._request.subprotocols] or None,
                compression=None,
                open_timeout=None,
                ping_interval=None,
                close_timeout=1,
                max_size=None,
                max_queue=None,
                proxy=None,
            )
        except InvalidStatus as refused:
            response = refused.response
            refusal = Refusal(response.status_code, Headers(raw=_raw(response.headers.raw_items())), bytes(response.body or b""))
            self.transcript.arrived({"type": "websocket.http.response.start", "status": refusal.status})
            self.closed_by_application = True
            return refusal
        tasks.start_soon(self._pump, self._connection)
        return self._accepted(self._connection)

    def _accepted(self, connection: ClientConnection) -> Accepted:
        assert connection.response is not None
        self.transcript.arrived({"type": "websocket.accept", "subprotocol": connection.subprotocol})
        return Accepted(connection.subprotocol, Headers(raw=_raw(connection.response.headers.raw_items())))

    async def _pump(self, connection: ClientConnection) -> None:
        while True:
            try:
                content = await connection.recv()
            except ConnectionClosed as closed:
                await self._is_reading.wait()
                if not self.run.peer_left:
                    self.arrive(_close(closed))
                return
            # Frames that had come before the test stopped reading wait for it to go on, as those in the kernel do.
            await self._is_reading.wait()
            if not self.run.peer_left:  # it may have closed, and sees nothing of the session any more
                self.arrive({"type": "websocket.send", "text" if isinstance(content, str) else "bytes": content})

    async def send(self, content: str | bytes) -> None:
        """Write a frame to the socket.

        Raises:
            SendTimeout: The server takes no more bytes.
        """
        self.transcript.sent({"type": "websocket.receive", "text" if isinstance(content, str) else "bytes": content})
        assert self._connection is not None
        if self.run.peer_left:
            return
        try:
            with anyio.move_on_after(_STALL):
                await self._connection.send(content)
                await anyio.lowlevel.checkpoint()  # while the kernel takes all, sending lets nobody else run
                return
        except ConnectionClosed:
            self.transcript.happened("the session has ended and nobody reads this")
            return
        raise SendTimeout(
            f"WebSocket {self._request.path}: the server took no byte within {_STALL:g} s; it has stopped reading."
            f" {self.transcript}"
        )

    async def close(self, code: int | None, reason: str) -> None:
        """Send a close frame and wait for the server's."""
        if not self.is_over:
            self.transcript.sent(closed_with(code, reason))
        self.run.peer_left = True
        if self._connection is not None:
            self._let_in()
            await self._connection.close(cast(int, code), reason)  # the protocol below it takes None, too

    def pause(self) -> None:
        """Take no more bytes from the kernel."""
        self.transcript.happened("the test stopped reading")
        self._read_no_more()

    def resume(self) -> None:
        """Take bytes from the kernel again."""
        self.transcript.happened("the test reads on")
        self._read_on()

    def vanish(self) -> None:
        """Neither read nor write nor answer a ping any more."""
        self.run.peer_left = True
        self.transcript.happened("the test vanished")
        self._read_no_more()

    def reset(self) -> None:
        """Close the socket with a TCP reset."""
        self.run.peer_left = True
        assert self._connection is not None
        if self._connection.transport.is_closing():
            return
        self.transcript.happened("the test reset the connection")
        peer = self._connection.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._is_reading.set()
        self._connection.transport.abort()

    def _read_no_more(self) -> None:
        assert self._connection is not None
        self.arrivals.pause()
        self._is_reading.clear()
        self._connection.transport.pause_reading()

    def _read_on(self) -> None:
        assert self._connection is not None
        self.arrivals.resume()
        self._let_in()

    def _let_in(self) -> None:
        assert self._connection is not None
        self._is_reading.set()
        if not self._connection.transport.is_closing():
            self._connection.transport.resume_reading()

    async def settle(self, timeout: float | None) -> None:
        """Wait until the event loop is at rest and the wire is empty: a pong comes behind all that was sent before it.

        The first round trip says that the server has read all frames, the second that what it answered has arrived.
        """
        for _ in range(2):
            await self._round_trip()
            await at_rest(timeout)

    async def _round_trip(self) -> None:
        if self._connection is None or self.is_over or self.arrivals.is_paused:
            return
        try:
            with anyio.move_on_after(_ROUND_TRIP):
                await (await self._connection.ping())
        except ConnectionClosed:
            pass  # the pump tells

    async def cancel(self) -> None:
        """Cancel the task in which uvicorn runs the application."""
        if self._serving is not None and self._serving.done():
            self._serving.result().cancel()

    async def release(self, patience: float) -> None:
        """Leave behind the task in which uvicorn runs the application, if it has not ended."""
        if self._serving is not None and self._serving.done() and not self.run.ended.is_set():
            leave_behind(self._serving.result())

    @property
    def unread(self) -> int | None:
        """Not known: the kernel keeps them."""
        return None

    async def leave(self, *, moment: float, patience: float) -> bool:
        """As everywhere; and let go of the socket. A handshake that never reached the application has nothing to end."""
        try:
            if self.run.scope is None:
                return True
            return await super().leave(moment=moment, patience=patience)
        finally:
            self._server.forget(self._port)
            if self._connection is not None:
                self._connection.transport.abort()


def _raw(items: Any) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in items]


def _close(closed: ConnectionClosed) -> Message:
    frame = closed.rcvd
    if frame is None:
        return {"type": "websocket.close", "code": 1006, "reason": "the connection was lost without a close"}
    return {"type": "websocket.close", "code": frame.code, "reason": frame.reason}
