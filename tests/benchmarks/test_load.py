"""The load answers as a peer has to."""

from __future__ import annotations

import socket
import threading

import pytest

from benchmarks import load


def test_text_frame_is_masked():
    """A client's frame has a mask, here of zeros, so that its text stays readable. RFC 6455, section 5.3."""
    assert load.text_frame(b"hi") == b"\x81\x82\x00\x00\x00\x00hi"


def test_frame_that_comes_in_parts_is_one():
    """What was expected may come in several packets."""
    ours, server = socket.socketpair()
    with ours, server:
        server.sendall(b"\x81\x02h")
        sender = threading.Thread(target=server.sendall, args=(b"i",))
        sender.start()
        load.expect(ours, b"\x81\x02hi")
        sender.join()


def test_wrong_frame_stops_the_measurement():
    """What is not what was sent is no unit of work."""
    ours, server = socket.socketpair()
    with ours, server:
        server.sendall(b"\x81\x02ho")
        with pytest.raises(RuntimeError, match="came, and not"):
            load.expect(ours, b"\x81\x02hi")
