"""The WebSocket of an endpoint: Starlette's, with the same behaviour and shorter ways on the paths that every frame takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from json import dumps
from typing import Any, Protocol

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected, WebSocketState

__all__ = ["HTTPConnection", "Request", "Response", "ServedWebSocket", "WebSocket", "WebSocketDisconnect", "WebSocketState"]

# Python 3.11 takes as long to find a member of an enum in its class as to call a function.
_CONNECTING, _CONNECTED, _DISCONNECTED = WebSocketState.CONNECTING, WebSocketState.CONNECTED, WebSocketState.DISCONNECTED


class Way(Protocol):
    """A way past ASGI's `send` and `receive`."""

    def write(self, frame: str | bytes) -> bool:
        """Write a frame; whether it was written."""
        ...

    def leave(self, websocket: ServedWebSocket) -> None:
        """Go this way no more."""
        ...


class Guard(Protocol):
    """Looks at how what is sent gets on."""

    def look(self) -> None:
        """Somebody may have to wait from now on."""
        ...


class ServedWebSocket(WebSocket):
    """What a session hands to parameters of type `WebSocket`.

    It knows whether the session was accepted before its endpoint ran, as `FirstMessage` does; `accept()` is then a no-op.
    """

    accepted_early = False
    closing: tuple[int, str] = (1000, "")
    """The code and the reason of the close frame that ends it, where nothing else closes it."""
    close_within: float | None = None
    """Seconds that this frame has to go out: a peer that has stopped reading takes none. None waits."""
    told: Callable[[int, str], None] | None = None
    """Is told with what code and reason it was closed, while a session is held on it."""
    hang_up: Callable[[Send, float], None] | None = None
    """Sees to it that the connection is gone so many seconds later, though its peer has stopped reading."""
    decode: Callable[[str | bytes], Any] | None = None
    """What a first message is decoded with, where its session does not speak JSON."""
    finds_way: Callable[[ServedWebSocket], Way | None] | None = None
    """Is asked for a way past the server when the handshake is accepted."""
    way: Way | None = None
    """Such a way, where there is one."""
    guard: Guard | None = None
    """Is told before something is sent that may have to wait for the peer."""
    session_of_it: Any = None
    """The typed session that is held on it, for parameters that ask for it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self.client_state = _CONNECTING
        self.application_state = _CONNECTING

    @classmethod
    def of(cls, websocket: WebSocket) -> ServedWebSocket:
        """The WebSocket itself if it is one of these, else one in the same state on the same connection."""
        if isinstance(websocket, cls):
            return websocket
        served = cls(websocket.scope, websocket._receive, websocket._send)
        served.client_state, served.application_state = websocket.client_state, websocket.application_state
        return served

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.application_state is _CONNECTING

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to say: neither an answer to the handshake nor a close frame."""
        return self.application_state is not _CONNECTING and not (
            self.application_state is _CONNECTED and self.client_state is _CONNECTED
        )

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent, as far as this side knows."""
        return self.application_state is _CONNECTED and self.client_state is _CONNECTED

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        """Accept the handshake; nothing is done if a first message was already received on it.

        Args:
            subprotocol: The one to choose of those that the peer offered.
            headers: Headers of the answer.

        Raises:
            RuntimeError: It was accepted before and a subprotocol or headers come too late.
            WebSocketDisconnect: The peer is gone already.
        """
        if self.application_state is _CONNECTING:
            if self.client_state is _CONNECTING:  # what `receive` does, without a coroutine more
                self._connected(await self._receive())
            self.application_state = _CONNECTED
            try:
                await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers or []})
            except OSError:
                raise self._broken() from None
            if self.finds_way is not None:
                self.way = self.finds_way(self)
        elif not self.accepted_early:
            await super().accept(subprotocol, headers)
        elif subprotocol is not None or headers is not None:
            raise RuntimeError(
                "WebSocket.accept(): the handshake was accepted to receive the first message or to hold a Session, so a "
                "subprotocol or headers come too late. Fix: accept in a dependency that runs before the one with FirstMessage; "
                "with a Session, write @websocket(accept=False) and call session.accept()."
            )

    async def receive(self) -> Message:
        """Receive an ASGI event.

        Raises:
            RuntimeError: It is none that may come now, or the peer is gone.
        """
        if self.client_state is _CONNECTED:
            message = await self._receive()
            kind = message["type"]
            if kind == "websocket.disconnect":
                self.client_state = _DISCONNECTED
            elif kind != "websocket.receive":
                raise self._no_frame(message)
            return message
        if self.client_state is _CONNECTING:
            return self._connected(await self._receive())
        return await super().receive()  # raises

    def _connected(self, message: Message) -> Message:
        if message["type"] != "websocket.connect":
            raise RuntimeError(f'Expected ASGI message "websocket.connect", but got {message["type"]!r}')
        self.client_state = _CONNECTED
        return message

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the session.

        Args:
            code: See RFC 6455, section 7.4; before the accept the peer gets HTTP 403 instead.
            reason: Cut to the 123 bytes that a close frame has for it (RFC 6455, section 5.5).

        Raises:
            ValueError: A close frame must not hold this code; servers would break the connection without a close.
            RuntimeError: It was closed before.
        """
        if self.application_state is _CONNECTED and not may_be_sent(code):
            raise ValueError(
                f"WebSocket.close(): {code} is no code that a close frame may hold. Fix: use one of 4000 to 4999 for reasons "
                "of your own, or one of RFC 6455, section 7.4, that is meant to be sent."
            )
        reason = reason and reason.encode("utf-8", "replace")[:123].decode(errors="ignore")
        within = self.close_within
        if within is None:
            await super().close(code, reason)
            return
        was_accepted = self.application_state is _CONNECTED
        with anyio.move_on_after(within) as scope:
            await super().close(code, reason)
        if self.told is not None and was_accepted:
            self.told(code, reason or "")
        if self.hang_up is not None:
            self.hang_up(self._send, 0 if scope.cancelled_caught else within)

    @property
    def receive_event(self) -> Receive:
        """ASGI's `receive`."""
        return self._receive

    @property
    def send_event(self) -> Send:
        """ASGI's `send`."""
        return self._send

    def read_by(self, receive: Receive) -> Receive:
        """Take events from elsewhere from now on; returns where they came from until now."""
        before, self._receive = self._receive, receive
        return before

    async def accept_early(self) -> None:
        """Accept the handshake if nobody has yet, so that a frame can be received before the endpoint runs."""
        if self.is_connecting:
            # A session accepts with the subprotocol that it speaks.
            await (self if self.session_of_it is None else self.session_of_it).accept()
            self.accepted_early = True

    async def _frame(self) -> Message:
        if self.application_state is not _CONNECTED:
            raise WebSocketDisconnected('WebSocket is not connected. Need to call "accept" first.')
        if self.client_state is not _CONNECTED:
            return await self.receive()
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise self._no_frame(message)
        return message

    def _no_frame(self, message: Message) -> Exception:
        if message["type"] != "websocket.disconnect":
            return RuntimeError(
                f'Expected ASGI message "websocket.receive" or "websocket.disconnect", but got {message["type"]!r}'
            )
        self.client_state = _DISCONNECTED
        return WebSocketDisconnect(message.get("code", 1005), message.get("reason"))

    async def receive_text(self) -> str:
        """Receive a text frame.

        Raises:
            WebSocketDisconnect: The peer is gone.
            KeyError: The frame is binary.
        """
        text: str = (await self._frame())["text"]
        return text

    async def receive_bytes(self) -> bytes:
        """Receive a binary frame.

        Raises:
            WebSocketDisconnect: The peer is gone.
            KeyError: The frame is text.
        """
        data: bytes = (await self._frame())["bytes"]
        return data

    async def iter_text(self) -> AsyncIterator[str]:
        """Text frames until the peer is gone."""
        try:
            while True:
                message = await (self._receive() if self.is_open else self._frame())
                if message["type"] != "websocket.receive":
                    raise self._no_frame(message)
                yield message["text"]
        except WebSocketDisconnect:
            pass

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Binary frames until the peer is gone."""
        try:
            while True:
                message = await (self._receive() if self.is_open else self._frame())
                if message["type"] != "websocket.receive":
                    raise self._no_frame(message)
                yield message["bytes"]
        except WebSocketDisconnect:
            pass

    async def send_text(self, data: str) -> None:
        """Send a text frame.

        Raises:
            WebSocketDisconnect: The connection broke.
            RuntimeError: The session is not accepted, or closed.
        """
        if self.application_state is not _CONNECTED:
            await self.send({"type": "websocket.send", "text": data})  # raises what Starlette raises in each other state
            return
        try:
            if self.way is None or data.__class__ is not str or not self.way.write(data):
                if self.guard is not None:
                    self.guard.look()
                await self._send({"type": "websocket.send", "text": data})
        except OSError:
            raise self._broken() from None

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; it raises as `send_text` does."""
        if self.application_state is not _CONNECTED:
            await self.send({"type": "websocket.send", "bytes": data})
            return
        try:
            if self.way is None or data.__class__ is not bytes or not self.way.write(data):
                if self.guard is not None:
                    self.guard.look()
                await self._send({"type": "websocket.send", "bytes": data})
        except OSError:
            raise self._broken() from None

    async def send(self, message: Message) -> None:
        """Send an ASGI event; it raises as Starlette's does."""
        if self.guard is not None:
            self.guard.look()
        await super().send(message)

    async def send_json(self, data: Any, mode: str = "text") -> None:
        """Send data as JSON, in a frame of text or binary; it raises as `send_text` does.

        Raises:
            RuntimeError: There is no such mode.
        """
        if mode not in ("text", "binary"):
            raise RuntimeError(f'WebSocket.send_json(): there is no mode {mode!r}. Fix: write "text" or "binary".')
        text = dumps(data, separators=(",", ":"), ensure_ascii=False)
        await (self.send_text(text) if mode == "text" else self.send_bytes(text.encode()))

    def _broken(self) -> WebSocketDisconnect:
        self.application_state = _DISCONNECTED
        return WebSocketDisconnect(code=1006)


def may_be_sent(code: int) -> bool:
    # 1004 to 1006 and 1015 only say what was seen; all other numbers below 3000 are left to future standards.
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
