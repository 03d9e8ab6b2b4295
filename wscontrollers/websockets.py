"""The WebSocket of an endpoint: Starlette's, with the same behaviour and shorter ways on the paths that every frame takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected, WebSocketState

__all__ = ["HTTPConnection", "Request", "Response", "ServedWebSocket", "WebSocket", "WebSocketDisconnect", "WebSocketState"]

_CONNECTED = WebSocketState.CONNECTED


class ServedWebSocket(WebSocket):
    """What a session hands to parameters of type `WebSocket`.

    It knows whether the session was accepted before its endpoint ran, as `FirstMessage` does; `accept()` is then a no-op.
    """

    accepted_early = False

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.application_state is WebSocketState.CONNECTING

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
        """
        if not self.accepted_early:
            await super().accept(subprotocol, headers)
        elif subprotocol is not None or headers is not None:
            raise RuntimeError(
                "WebSocket.accept(): the handshake was accepted to receive the first message, so a subprotocol or headers "
                "come too late. Fix: accept in a dependency that runs before the one with FirstMessage."
            )

    async def accept_early(self) -> None:
        """Accept the handshake if nobody has yet, so that a frame can be received before the endpoint runs."""
        if self.is_connecting:
            await self.accept()
            self.accepted_early = True

    async def _frame(self) -> Message:
        if self.application_state is not _CONNECTED:
            raise WebSocketDisconnected('WebSocket is not connected. Need to call "accept" first.')
        if self.client_state is not _CONNECTED:
            return await self.receive()
        message = await self._receive()
        kind = message["type"]
        if kind == "websocket.receive":
            return message
        if kind != "websocket.disconnect":
            raise RuntimeError(f'Expected ASGI message "websocket.receive" or "websocket.disconnect", but got {kind!r}')
        self.client_state = WebSocketState.DISCONNECTED
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))

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
        frame = self._frame
        try:
            while True:
                yield (await frame())["text"]
        except WebSocketDisconnect:
            pass

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Binary frames until the peer is gone."""
        frame = self._frame
        try:
            while True:
                yield (await frame())["bytes"]
        except WebSocketDisconnect:
            pass

    async def send_text(self, data: str) -> None:
        """Send a text frame.

        Raises:
            WebSocketDisconnect: The connection broke.
            RuntimeError: The session is not accepted, or closed.
        """
        await self._send_frame({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; it raises as `send_text` does."""
        await self._send_frame({"type": "websocket.send", "bytes": data})

    async def _send_frame(self, message: Message) -> None:
        if self.application_state is not _CONNECTED:
            await self.send(message)  # raises what Starlette raises in each other state
            return
        try:
            await self._send(message)
        except OSError:
            self.application_state = WebSocketState.DISCONNECTED
            raise WebSocketDisconnect(code=1006) from None
