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
        self.probes = self.backoff = self.unacknowledged = 0
        self.timeout, self.silence = 0.2, 0.0

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        words = [0] * 24
        words[0], words[4], words[12] = round(self.timeout * 1e6), self.unacknowledged, round(self.silence * 1000)
        return struct.pack("=8B24I", 1, 0, 0, self.probes, self.backoff, 0, 0, 0, *words)[:size]


class Watched:
    """A connection whose kernel and clock the test has."""

    def __init__(self, protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.kernel = Kernel()
        self.patience = Patience(protocol)
        monkeypatch.setattr("wscontrollers.session.patience.time.monotonic", lambda: self.now)
        monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": self.kernel}.get)

    def is_silent_after(self, seconds: float, **said: float) -> bool:
        """Whether the peer is, so many seconds on, when the kernel says this."""
        self.now += seconds
        self.kernel.silence += seconds
        vars(self.kernel).update(said)
        return self.patience.is_silent()


linux_alone = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell")


@linux_alone
@pytest.mark.parametrize("question", ["unacknowledged", "probes"])
async def test_a_peer_is_silent_whose_kernel_answers_nothing(
    protocol: Any, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """For as long as the ping time-out, and only while it has something to answer; each time it does begins it anew."""
    protocol.ping_interval = protocol.ping_timeout = 20
    peer = Watched(protocol, monkeypatch)
    asked, nothing = {question: 1}, {question: 0}
    assert not peer.is_silent_after(100, **nothing), "it has nothing to answer"
    assert not peer.is_silent_after(100, **asked), "only now"
    assert not peer.is_silent_after(19)
    assert not peer.is_silent_after(1, silence=0.5), "it did"
    assert not peer.is_silent_after(19)
    assert not peer.is_silent_after(1, **nothing), "it has nothing more to answer"
    assert not peer.is_silent_after(1, **asked)
    assert peer.is_silent_after(20)
    protocol.ping_timeout = None
    assert not peer.is_silent_after(20), "uvicorn was told to wait for ever"
    protocol.ping_interval, protocol.ping_timeout = None, 20
    assert [peer.is_silent_after(20) for _ in range(2)] == [False, False], "uvicorn was told not to ask"
    peer.patience.give_up()
    assert protocol.transport.aborted == 1


@linux_alone
@pytest.mark.parametrize(
    ("said", "until_next"),
    [
        ({"unacknowledged": 1, "timeout": 30.0}, 30),
        ({"probes": 1, "timeout": 0.2, "backoff": 7}, 25.6),
        ({"probes": 1, "timeout": 0.2, "backoff": 12}, 120),
        ({"probes": 1, "timeout": 0.2, "backoff": 1}, 1.6),
    ],
)
async def test_a_kernel_that_is_asked_seldom_has_time_to_answer(
    protocol: Any, monkeypatch: pytest.MonkeyPatch, said: dict[str, float], until_next: float
) -> None:
    """It is asked again with ever longer times in between, up to two minutes: until the next answer is due it is no silence."""
    protocol.ping_interval = protocol.ping_timeout = 1
    peer = Watched(protocol, monkeypatch)
    for _ in range(3):
        assert not peer.is_silent_after(until_next * 1.1, **said)
        peer.kernel.silence = 0.0  # it answered
    assert not peer.is_silent_after(0.1)
    assert peer.is_silent_after(until_next * 1.25 + 0.1)


async def test_a_connection_that_is_no_tcp_is_never_silent(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer on the same machine does not vanish without a reset."""
    assert not Patience(protocol).is_silent(), "a transport without a socket tells nothing"
    with socket.socket(socket.AF_UNIX) as local:
        monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": local}.get)
        assert not Patience(protocol).is_silent()
