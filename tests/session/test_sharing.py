"""How much of the event loop one connection may have for what is no message."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.connections import protocol as protocol
from tests.session.test_unpacking import connected, ended, frame, simple, texts
from wscontrollers.session import sharing
from wscontrollers.session.inlet import inlet_of
from wscontrollers.session.sharing import PORTION, Share, share
from wscontrollers.websockets import ServedWebSocket

asynchronous = pytest.mark.parametrize("anyio_backend", ["asyncio"])

PING = frame(0x89, b"")


class Seconds:
    """A clock whose every look costs as much as the test says."""

    def __init__(self, *costs: float) -> None:
        self._costs: Iterator[float] = cycle(costs)
        self._now = 0.0

    def __call__(self) -> float:
        self._now += next(self._costs)
        return self._now


async def receive() -> Any: ...


def served(protocol: Any) -> ServedWebSocket:
    """The WebSocket of a connection."""
    return ServedWebSocket({"type": "websocket"}, receive, protocol.send)


def parsed(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the parser of a connection is given."""
    given: list[bytes] = []
    monkeypatch.setattr(type(protocol), "data_received", lambda self, data: given.append(data))
    return given


@asynchronous
async def test_who_has_the_parser_work_for_long_rests(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read meanwhile, what came waits, and then it goes on in its order."""
    await protocol.receive()
    monkeypatch.setattr(sharing, "perf_counter", Seconds(0, 1))
    monkeypatch.setattr(sharing, "_REST", 0)
    given = parsed(protocol, monkeypatch)
    share, wire = Share(protocol), protocol.transport
    data = bytes(range(256)) * (3 * PORTION // 256)
    protocol.data_received(data)
    assert (given, share.is_waiting, wire.is_reading) == ([data[:PORTION]], True, False)
    protocol.data_received(b"more")
    for _ in range(9):
        await asyncio.sleep(0)
    assert b"".join(given) == data + b"more"
    assert max(map(len, given)) == PORTION
    assert (share.is_waiting, wire.is_reading) == (False, True)


@asynchronous
async def test_who_is_quick_never_does(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much came at once, and however often."""
    monkeypatch.setattr(sharing, "perf_counter", Seconds(0.000_001))
    given = parsed(protocol, monkeypatch)
    share = Share(protocol)
    for _ in range(50):
        protocol.data_received(b"a" * 20 * PORTION)
        assert not share.is_waiting
    assert len(b"".join(given)) == 50 * 20 * PORTION
    assert protocol.transport.pauses == 0


@asynchronous
async def test_one_that_pings_and_reads_no_answer_is_not_read_from(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it reads: its pongs would be all the memory there is. What waits for it otherwise counts for nothing."""
    await protocol.receive()
    monkeypatch.setattr(sharing, "_UNTIL_READ", 0)
    share, wire = Share(protocol), protocol.transport
    wire.unread = 1_000_000
    protocol.data_received(PING)
    assert not share.is_waiting

    def answers(self: Any, data: bytes) -> None:
        wire.unread += 40_000

    monkeypatch.setattr(type(protocol), "data_received", answers)
    share._received = answers
    protocol.data_received(PING)
    assert not share.is_waiting
    protocol.data_received(PING)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (share.is_waiting, wire.is_reading) == (True, False)
    wire.unread = 0
    for _ in range(5):
        await asyncio.sleep(0)
    assert (share.is_waiting, wire.is_reading) == (False, True)


@asynchronous
async def test_what_cannot_have_come_is_not_kept(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a paused connection there is little on its way; one that brings more is broken off."""
    monkeypatch.setattr(sharing, "perf_counter", Seconds(0, 1))
    parsed(protocol, monkeypatch)
    share, wire = Share(protocol), protocol.transport
    protocol.data_received(b"a" * 5 * PORTION)
    protocol.data_received(b"a" * 500_000)
    assert wire.aborted == 0
    protocol.data_received(b"a" * 600_000)
    assert wire.aborted == 1
    wire.is_broken = True
    share._go_on()
    assert not share.is_waiting


@asynchronous
async def test_it_does_not_hold_its_connection(protocol: Any) -> None:
    """Which holds it: that would be a cycle to be searched for. Of one that is gone nothing is left to be done."""
    share = Share(protocol)
    assert protocol not in gc.get_referents(share)
    protocol.transport._protocol = None
    share.data_received(b"late")
    share._go_on()
    assert not share.is_waiting


@pytest.mark.parametrize("fault", ["version", "transport", "parser"])
@asynchronous
async def test_where_nothing_is_known_nothing_stands(protocol: Any, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another uvicorn, another transport, or somebody else before the parser."""
    monkeypatch.setattr("wscontrollers.session.direct._shared", set())
    before = protocol.data_received
    if fault == "version":
        monkeypatch.setattr("uvicorn.__version__", "0.99.0")
    elif fault == "transport":
        monkeypatch.delattr(type(protocol.transport), "set_protocol")
    else:
        protocol.data_received = before = lambda data: None
    share(protocol)
    assert protocol.data_received == before


frames = st.one_of(
    simple,
    st.builds(frame, st.sampled_from([0x81, 0x82]), texts, long=st.sampled_from([2, 8])),
    st.just(PING),
    st.just(frame(0x01, b"frag") + frame(0x89, b"p") + frame(0x80, b"ment")),
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(frames, max_size=12).map(b"".join),
    st.lists(st.integers(0, 1_000_000), max_size=6),
    st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=5),
    st.integers(1, 40),
)
def test_what_rests_comes_in_its_order(data: bytes, cuts: list[int], costs: list[float], portion: int) -> None:
    """The same events and the same answers as without, wherever it rests, and whoever reads past the parser in between."""
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    reads = [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True) if begin != end]

    async def both() -> None:
        ours, theirs = [await connected() for _ in range(2)]
        share, wire = Share(ours), ours.transport
        inlet = inlet_of(ours.receive)
        assert inlet is not None
        got: list[Any] = []
        expected: list[Any] = []
        for read in reads:
            theirs.transport.arrive(theirs, read)
            while not theirs.queue.empty():
                expected.append(await theirs.receive())
            wire.arrive(ours, read)
            while True:
                while not ours.queue.empty():
                    got.append(await inlet.receive())
                if not share.is_waiting and not wire.waiting:
                    break
                await asyncio.sleep(0)
        assert (got, wire.written, wire.is_reading) == (expected, theirs.transport.written, True)
        inlet.release()
        assert ours.data_received == share.data_received
        await ended(ours, theirs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "perf_counter", Seconds(*costs))
        patch.setattr(sharing, "PORTION", portion)
        patch.setattr(sharing, "_REST", 0)
        asyncio.run(both())
