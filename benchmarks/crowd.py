"""The load of groups: many members with raw sockets, and one session that orders messages."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from benchmarks.load import TIMEOUT, handshake, text_frame

DEFLATE = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
"""What every browser offers."""

_JOINED = b"joined"
_PART = 64 * 1024


class Peer:
    """One session, as its client sees it.

    Args:
        port: Of the server.
        path: Of the endpoint.
        headers: Of the handshake, beside those that have to be.
        buffer: How many bytes the kernel keeps for it; by itself it takes megabytes.

    Raises:
        RuntimeError: The handshake was not answered with 101.
    """

    def __init__(self, port: int, path: str, headers: Sequence[str] = (), *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # With a time-out of Python's own a read would not wait for all of it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(TIMEOUT), 0))
        self._rest = b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self.socket.sendall(handshake(path, headers))
        while b"\r\n\r\n" not in self._rest:
            self._fill()
        answer, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            self.socket.close()
            raise RuntimeError(f"{path} was answered with {answer[:80]!r}")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def expect(self, wanted: memoryview, room: memoryview) -> None:
        """Read so many bytes at once.

        Raises:
            RuntimeError: They are others.
        """
        size = self.socket.recv_into(room, len(wanted), socket.MSG_WAITALL)
        if room[:size] != wanted:
            raise RuntimeError(f"{bytes(room[:size])[:200]!r} came, and not {bytes(wanted)[:200]!r}")

    def messages(self, count: int, *, read: bool) -> Iterator[bytes]:
        """So many messages, each of them one frame, compressed or not.

        Args:
            count: How many.
            read: Whether they are inflated; then all of a session have to be. Else what comes is as it came.
        """
        at = 0
        for _ in range(count):
            while (span := _span(self._rest, at)) is None:
                self._rest = self._rest[at:]
                at = 0
                self._fill()
            start, end = span
            payload, is_deflated = self._rest[start:end], self._rest[at] & 0x40
            yield self._inflate.decompress(payload + b"\0\0\xff\xff") if is_deflated and read else payload
            at = end
        self._rest = self._rest[at:]

    def closed_with(self) -> int:
        """Read up to the close frame, and say its code; 0 if there is none. What comes before has no byte of 0x88."""
        data = b""
        while (at := data.find(b"\x88")) < 0 or len(data) < at + 4:
            part = self.socket.recv(_PART)
            if not part:
                return 0
            data = data[-8:] + part
        return int.from_bytes(data[at + 2 : at + 4], "big")

    def _fill(self) -> None:
        part = self.socket.recv(_PART)
        if not part:
            raise RuntimeError(f"the server hung up after {self._rest[:80]!r}")
        self._rest += part


class Crowd:
    """The members of a group, and who publishes to it; a context that closes all of them.

    Args:
        port: Of the server where the members are.
        members: How many.
        headers: Of their handshakes.
        publisher: The port of the server where is published; the members' by default.
    """

    def __init__(self, port: int, members: int, headers: Sequence[str] = (), publisher: int | None = None) -> None:
        with ExitStack() as stack:
            self.publisher = self._opened(stack, port if publisher is None else publisher, "/publish", ())
            self.members = [self._opened(stack, port, "/member", headers) for _ in range(members)]
            for member in self.members:
                (joined,) = member.messages(1, read=True)
                if joined != _JOINED:
                    raise RuntimeError(f"{joined[:80]!r} came, and not {_JOINED!r}")
            self._stack = stack.pop_all()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @staticmethod
    def _opened(stack: ExitStack, port: int, path: str, headers: Sequence[str]) -> Peer:
        peer = Peer(port, path, headers)
        return stack.enter_context(peer)

    def hear(self, order: bytes, message: bytes, count: int) -> int:
        """Have messages published, one by one, until there were so many deliveries.

        The next one is ordered when all members have the one before: a server would write several with one call, and be measured
        for how many it finds to write.

        Args:
            order: What the publisher is sent for a message.
            message: Its text.
            count: How many deliveries are wanted.

        Returns:
            How many there were.
        """
        wanted = memoryview(framed(message))
        room = memoryview(bytearray(len(wanted)))
        done = 0
        while done < count:
            self.publisher.socket.sendall(text_frame(order))
            # The last one first: who waits for each is woken by each, and the server would pay for it.
            for member in reversed(self.members):
                member.expect(wanted, room)
            done += len(self.members)
        return done

    def hear_deflated(self, order: bytes, message: bytes, count: int) -> int:
        """The same where messages may be compressed: those of the last member are read, and those of the others counted."""
        last, *others = reversed(self.members)
        done = 0
        while done < count:
            self.publisher.socket.sendall(text_frame(order))
            (heard,) = last.messages(1, read=True)
            if heard != message:
                raise RuntimeError(f"{heard[:200]!r} came, and not {message[:200]!r}")
            for member in others:
                for _ in member.messages(1, read=False):
                    pass
            done += len(self.members)
        return done


def framed(text: bytes) -> bytes:
    """A text as a server frames it."""
    size = len(text)
    return (bytes([0x81, size]) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")) + text


def _span(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of a frame of at most 65,535 bytes begins and ends; None if not all of it is there."""
    if len(data) < at + 4:
        return None if len(data) < at + 2 or len(data) < at + 2 + (data[at + 1] & 0x7F) else (at + 2, at + 2 + data[at + 1])
    size, start = data[at + 1], at + 2
    if size == 126:
        size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    return None if len(data) < start + size else (start, start + size)
