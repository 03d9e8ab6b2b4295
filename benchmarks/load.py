"""The load: raw sockets and frames made before, so that the generator is never in the way. RFC 6455."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack

TIMEOUT = 20.0
"""How long one answer may take, in seconds."""

BATCH = 16
"""How many sessions are open at once."""

CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
"""A close frame with 1000, masked with zeros."""


def handshake(path: str, headers: Sequence[str] = ()) -> bytes:
    """A whole handshake for a path with its query."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: benchmarks",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def text_frame(text: bytes) -> bytes:
    """A masked text frame of at most 125 bytes; the mask is zero."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def opened(port: int, request: bytes, count: int) -> list[socket.socket]:
    """So many open sessions.

    Raises:
        RuntimeError: A handshake was not answered with 101.
    """
    with ExitStack() as stack:
        sessions = [stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT)) for _ in range(count)]
        for session in sessions:
            session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session.sendall(request)
        for session in sessions:
            answer = _read(session, until=b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 101 "):
                raise RuntimeError(f"{request.partition(b' HTTP')[0].decode()} was answered with {answer[:80]!r}")
        stack.pop_all()
    return sessions


def closed(sessions: Sequence[socket.socket]) -> None:
    """End sessions politely: a close frame each, and its answer, and the end of the connection."""
    for session in sessions:
        session.sendall(CLOSE)
    for session in sessions:
        with session:
            while session.recv(4096):
                pass


def sessions(port: int, request: bytes, count: int) -> int:
    """Open and close sessions, in batches.

    Returns:
        How many there were: `count`, made up to whole batches.
    """
    done = 0
    while done < count:
        closed(opened(port, request, min(BATCH, count)))
        done += min(BATCH, count)
    return done


def echoes(port: int, request: bytes, text: bytes, count: int) -> int:
    """Open a batch of sessions, send a text in each and read it back until there were at least `count`, and close them.

    Returns:
        How many there were.
    """
    batch = opened(port, request, BATCH)
    frame = text_frame(text)
    done = 0
    while done < count:
        for session in batch:
            session.sendall(frame)
        for session in batch:
            expect(session, bytes([0x81, len(text)]) + text)
        done += len(batch)
    closed(batch)
    return done


def expect(session: socket.socket, frame: bytes) -> None:
    """Read one frame.

    Raises:
        RuntimeError: It is another one.
    """
    answer = session.recv(4096)
    while len(answer) < len(frame):
        answer += session.recv(4096)
    if answer != frame:
        raise RuntimeError(f"{answer!r} came, and not {frame!r}")


def _read(session: socket.socket, *, until: bytes) -> bytes:
    answer = b""
    while until not in answer:
        part = session.recv(4096)
        if not part:
            raise RuntimeError(f"the server hung up after {answer[:80]!r}")
        answer += part
    return answer
