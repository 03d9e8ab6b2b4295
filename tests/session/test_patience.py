"""What a known server cannot know of a connection that is not read from."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any

import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.patience import Patience, protocol_of

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def test_a_connection_is_known_with_its_server_and_version(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a middleware, and of another version, nothing is."""

    async def send(event: Any) -> None: ...

    assert protocol_of(protocol.send) is protocol
    assert protocol_of(send) is None
    monkeypatch.setattr("uvicorn.__version__", "0.1.0")
    assert protocol_of(protocol.send) is None


async def test_an_end_is_seen_that_nobody_read(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server closed, or the peer was reset; one that has only sent, or ended its own side politely, is there."""
    patience = Patience(protocol)
    assert not patience.is_over(), "a transport without a socket tells nothing"
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as peer:
        ours, _ = listening.accept()
        with ours:
            monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": ours}.get)
            assert not patience.is_over()
            peer.sendall(b"x")
            assert not patience.is_over()
            peer.shutdown(socket.SHUT_WR)
            assert not patience.is_over()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            assert patience.is_over()
            monkeypatch.undo()
    protocol.transport.close()
    assert patience.is_over()


async def test_no_pong_is_waited_for(protocol: Any) -> None:
    """The next ping is sent in its time, with no deadline for the one before; without a ping under way nothing happens."""
    patience = Patience(protocol)
    protocol.ping_interval = protocol.ping_timeout = 100
    patience.spare()
    assert protocol.ping_timer is None
    protocol.send_keepalive_ping()
    deadline = protocol.pong_timer
    patience.spare()
    assert deadline.cancelled()
    assert protocol.pong_timer is None
    assert protocol.ping_timer is not None
    protocol.stop_keepalive()


class Kernel:
    """What Linux tells of a connection (`struct tcp_info`, in its `tcp.h`)."""

    def __init__(self) -> None:
        self.probes = self.unacknowledged = 0
        self.silence = 0.0

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        words = [0] * 24
        words[4], words[12] = self.unacknowledged, round(self.silence * 1000)
        return struct.pack("=8B24I", 1, 0, 0, self.probes, 0, 0, 0, 0, *words)[:size]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell")
@pytest.mark.parametrize("open_question", [{"unacknowledged": 1}, {"probes": 3}], ids=["sent", "window"])
async def test_a_peer_is_silent_whose_kernel_acknowledges_nothing(
    protocol: Any, monkeypatch: pytest.MonkeyPatch, open_question: dict[str, int]
) -> None:
    """For as long as the ping time-out, and only while it has something to acknowledge; each time it does begins it anew."""
    now = 1000.0
    kernel = Kernel()
    monkeypatch.setattr("wscontrollers.session.patience.time.monotonic", lambda: now)
    monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": kernel}.get)
    protocol.ping_timeout = 20
    patience = Patience(protocol)

    def is_silent_after(seconds: float, *, silence: float) -> bool:
        nonlocal now
        now += seconds
        kernel.silence = silence
        return patience.is_silent()

    assert not is_silent_after(100, silence=100), "it has nothing to acknowledge"
    vars(kernel).update(open_question)
    assert not is_silent_after(100, silence=200), "only now"
    assert not is_silent_after(19, silence=219)
    assert not is_silent_after(1, silence=0.5), "it did"
    assert not is_silent_after(19, silence=19.5)
    kernel.probes = kernel.unacknowledged = 0
    assert not is_silent_after(1, silence=20.5), "it has nothing more to acknowledge"
    vars(kernel).update(open_question)
    assert not is_silent_after(1, silence=21.5)
    assert is_silent_after(20, silence=41.5)
    protocol.ping_timeout = None
    assert not is_silent_after(20, silence=61.5), "uvicorn was told to wait for ever"
    patience.give_up()
    assert protocol.transport.aborted == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell")
async def test_one_question_about_a_closed_window_may_stay_without_an_answer(
    protocol: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel answers not more often than twice a second, and then it is long until the next question."""
    kernel = Kernel()
    kernel.probes, kernel.silence = 2, 100.0
    monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": kernel}.get)
    protocol.ping_timeout = 0.0
    patience = Patience(protocol)
    assert [patience.is_silent() for _ in range(2)] == [False, False]


async def test_a_connection_that_is_no_tcp_is_never_silent(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer on the same machine does not vanish without a reset."""
    assert not Patience(protocol).is_silent(), "a transport without a socket tells nothing"
    with socket.socket(socket.AF_UNIX) as local:
        monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": local}.get)
        assert not Patience(protocol).is_silent()
