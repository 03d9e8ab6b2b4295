"""Peers on bare sockets, which do nothing by themselves, and a look into the server's thread."""

from __future__ import annotations

import asyncio
import ctypes
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class ServerLoop:
    """The event loop of the server's thread, asked from the test's."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, function: Callable[[], T]) -> T:
        """Call a function there, behind all that was to be done there until now."""
        assert self.loop is not None

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)


def handshake(address: str, *, path: str = "/", buffers: int | None = None) -> socket.socket:
    """A session on a bare socket, which does nothing by itself: it answers no ping and reads nothing."""
    raw = socket.socket()
    if buffers:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
    host, port = address.split(":")
    raw.connect((host, int(port)))
    raw.sendall(
        b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return raw


def reset(raw: socket.socket) -> None:
    """Leave without a word: the peer sees a TCP reset."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def fall_silent(raw: socket.socket) -> None:
    """Vanish: from now on the kernel throws away all that comes for this socket, and acknowledges nothing (Linux)."""
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # one instruction of BPF: keep 0 bytes
    program = struct.pack("HL", 1, ctypes.addressof(drop_all))
    raw.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


_SO_ATTACH_FILTER = 26
"""Linux' option, which the socket module does not name."""


def masked(text: str) -> bytes:
    """A text frame as a client writes it (RFC 6455, section 5.2)."""
    data = text.encode()
    assert 126 <= len(data) < 65_536
    return struct.pack("!BBH4x", 0x81, 0x80 | 126, len(data)) + data


@contextmanager
def open_files(count: int) -> Iterator[None]:
    """Let this process open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
