"""Handshakes for tests of what reads them."""

from __future__ import annotations

from typing import Any

from starlette.websockets import WebSocket


def handshake(query: str = "", scheme: str = "ws", **headers: str) -> WebSocket:
    """A WebSocket that nobody has accepted; underscores in header names stand for hyphens."""
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return WebSocket(scope(*pairs, query=query, scheme=scheme), _never, _never)


def scope(*headers: tuple[bytes, bytes], query: str = "", scheme: str = "ws") -> dict[str, Any]:
    """The ASGI scope of a handshake."""
    return {"type": "websocket", "scheme": scheme, "path": "/", "query_string": query.encode(), "headers": list(headers)}


async def _never(*_: Any) -> Any:
    raise AssertionError("A security scheme reads the handshake only; it neither receives nor sends.")
