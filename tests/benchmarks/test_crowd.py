"""The load of groups reads as a peer has to."""

from __future__ import annotations

import zlib

import pytest

from benchmarks.crowd import Crowd, Peer, framed
from benchmarks.groups import message
from benchmarks.processes import GROUP_APPS, serving


class Heard(Peer):
    """A peer to whom something was said."""

    def __init__(self, *parts: bytes) -> None:
        self._rest = b""
        self._parts = list(parts)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def _fill(self) -> None:
        self._rest += self._parts.pop(0)


@pytest.mark.parametrize("size", [0, 5, 125, 126, 900, 65_535])
def test_frames_of_all_sizes_are_read(size):
    """Also where they come byte by byte."""
    frame = framed(b"x" * size)
    stream = frame + framed(b"y")
    assert list(Heard(stream[:1], stream[1:3], stream[3:]).messages(2, read=True)) == [b"x" * size, b"y"]


def test_compressed_messages_are_read():
    """In the midst of others (RFC 7692, section 7.2.2); who does not read them counts them."""
    deflate = zlib.compressobj(wbits=-12)
    packed = [deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH) for text in (b"tea tea tea", b"tea tea")]
    one, two = [bytes([0xC1, len(each) - 4]) + each[:-4] for each in packed]
    stream = one + framed(b"plain") + two
    assert list(Heard(stream).messages(3, read=True)) == [b"tea tea tea", b"plain", b"tea tea"]
    assert len(list(Heard(stream).messages(3, read=False))) == 3


def test_a_crowd_hears_what_is_published():
    """All of it, and nothing else."""
    with serving("raw ASGI", GROUP_APPS) as server, Crowd(server.port, 3) as crowd:
        assert crowd.hear(b"1 short", message("raw ASGI", "short"), 5) == 6
        with pytest.raises(RuntimeError, match="came, and not"):
            crowd.hear(b"1 short", b"something else", 3)


def test_a_refused_handshake_is_no_member():
    """What was answered is said."""
    with serving("ours", GROUP_APPS) as server, pytest.raises(RuntimeError, match="/nowhere was answered with"):
        Peer(server.port, "/nowhere")
