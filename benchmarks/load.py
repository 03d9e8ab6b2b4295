"""The load: raw sockets and frames made before, so that the generator is never in the way. RFC 6455."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack

TIMEOUT = 20.0
"""How long one answer may take, in seconds."""

BATCH = 16
"""How many sessions are open at once."""

_PART = 256 * 1024
"""Bytes that are read at once."""

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
    return round_trips(port, request, [(text, text)], count)


def round_trips(port: int, request: bytes, exchanges: Sequence[tuple[bytes, bytes]], count: int) -> int:
    """The same with texts and their answers, each session beginning with another one.

    Args:
        port: Of the server.
        request: The handshake.
        exchanges: What is sent, and what has to come back.
        count: How many answers are wanted.

    Returns:
        How many there were.
    """
    frames = [(text_frame(text), bytes([0x81, len(answer)]) + answer) for text, answer in exchanges]
    done = 0
    with ExitStack() as stack:
        batch = [stack.enter_context(session) for session in opened(port, request, BATCH)]
        while done < count:
            turn = done // BATCH
            for place, session in enumerate(batch):
                session.sendall(frames[(turn + place) % len(frames)][0])
            # The last one first: who waits for each answer is woken by each, and the slower server would pay for more of that.
            for place, session in reversed(list(enumerate(batch))):
                expect(session, frames[(turn + place) % len(frames)][1])
            done += len(batch)
        closed(batch)
    return done


def streamed(port: int, request: bytes, text: bytes, answers: Sequence[bytes], times: int) -> int:
    """Open a session, ask in it for a stream so many times, and close it.

    Args:
        port: Of the server.
        request: The handshake.
        text: What asks for the stream.
        answers: All that comes back, text for text.
        times: How often it is asked for.

    Returns:
        How many answers there were.
    """
    wanted = b"".join(bytes([0x81, len(answer)]) + answer for answer in answers)
    (session,) = opened(port, request, 1)
    with session:
        for _ in range(times):
            session.sendall(text_frame(text))
            expect(session, wanted)
        closed([session])
    return times * len(answers)


def expect(session: socket.socket, frame: bytes) -> None:
    """Read one frame, or several as one.

    Raises:
        RuntimeError: It is another one, or the server hung up.
    """
    answer = session.recv(_PART)
    if len(answer) < len(frame):
        parts = bytearray(answer)
        while len(parts) < len(frame) and (part := session.recv(_PART)):
            parts += part
        answer = bytes(parts)
    if answer != frame:
        raise RuntimeError(f"{answer[:200]!r} came, and not {frame[:200]!r}")


def _read(session: socket.socket, *, until: bytes) -> bytes:
    answer = b""
    while until not in answer:
        part = session.recv(4096)
        if not part:
            raise RuntimeError(f"the server hung up after {answer[:80]!r}")
        answer += part
    return answer
