"""The outbox: bounded, with a policy for what finds no room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate

from tests.session.connections import protocol as protocol
from tests.session.looping import called
from wscontrollers.session import Delivery
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.direct import PLAIN
from wscontrollers.session.outbox import Outbox
from wscontrollers.session.owner import NOBODY, Frame, Owner


class Peer(Owner):
    """A peer that takes a frame when its gate is open, and whose session notes what the outbox tells."""

    def __init__(self, tasks: TaskGroup | None = None) -> None:
        self.tasks = tasks
        self.gate = anyio.Event()
        self.got: list[Any] = []
        self.told: list[str] = []
        self.is_gone = False
        self.connecting = False
        self.writing = 0

    async def take(self, frame: Frame) -> None:
        self.writing += 1
        assert self.writing == 1, "two writes at once"
        try:
            await self.gate.wait()
            if self.is_gone:
                raise OSError
            self.got.append(frame["text"])
        finally:
            self.writing -= 1

    def start(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        assert self.tasks is not None
        start: Any = self.tasks.start_soon
        start(function, *args)

    def overflown(self) -> None:
        self.told.append("overflown")

    def lost(self) -> None:
        self.told.append("lost")

    def gap(self, dropped: int) -> Frame:
        return {"text": f"gap {dropped}"}

    @property
    def is_connecting(self) -> bool:
        return self.connecting

    def outbox(self, frames: int = 3, size: int = 1000) -> Outbox:
        return Outbox(self.take, self, frames=frames, size=size)


def frame(text: str) -> Frame:
    return {"type": "websocket.send", "text": text}


async def stalled(tasks: TaskGroup, **bounds: int) -> tuple[Peer, Outbox]:
    """An outbox whose first frame, "a", is under way until the peer's gate opens: whatever comes behind it waits."""
    peer = Peer(tasks)
    outbox = peer.outbox(**bounds)
    outbox.send_nowait(frame("a"), 1)
    await anyio.wait_all_tasks_blocked()
    return peer, outbox


async def test_while_the_peer_keeps_up_no_task_is_started() -> None:
    """`send` writes at once in the sender's own task."""
    peer = Peer()
    peer.gate.set()
    outbox = peer.outbox()
    assert await outbox.send(frame("a"), 1) is Delivery.SENT
    assert peer.got == ["a"]
    assert outbox.writes == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio chooses who runs next by lot
@pytest.mark.parametrize("is_closed", [False, True])
async def test_who_only_sends_lets_others_run(is_closed: bool) -> None:
    """Every 64th `send` does, though no write waits, and behind the end each one from the 64th on; it can be cancelled there."""
    got: list[Frame] = []

    async def take(event: Frame) -> None:
        got.append(event)

    outbox = Outbox(take, Peer(), frames=3, size=1000)
    if is_closed:
        outbox.close()
    sent = 0
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(called, scope.cancel)
            while True:
                await outbox.send(frame("x"), 1)
                sent += 1
    assert (sent, len(got)) == (63, 0 if is_closed else 63)


async def test_a_sender_that_gives_up_takes_its_frame_back() -> None:
    """A frame whose sender was cancelled in line is not sent."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks)
        with anyio.move_on_after(0.01):
            await outbox.send(frame("b"), 1)
        outbox.send_nowait(frame("c"), 1)
        peer.gate.set()
    assert peer.got == ["a", "c"]


async def test_without_room_the_policy_close_ends_the_session() -> None:
    """`close`: the session is told once, what waits is lost, and nothing is taken any more."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=2)
        assert [outbox.send_nowait(frame(text), 1) for text in "bcde"] == [
            *(Delivery.QUEUED, Delivery.QUEUED),
            *(Delivery.CLOSED, Delivery.CLOSED),
        ]
        assert peer.told == ["overflown"]
        peer.gate.set()
    assert peer.got == ["a"]


@pytest.mark.parametrize(
    ("policy", "last", "got"),
    [
        (Overflow.DROP_OLDEST, Delivery.DISPLACED, ["a", "gap 2", "d", "e"]),
        (Overflow.DROP_NEWEST, Delivery.DROPPED, ["a", "gap 2", "b", "c"]),
    ],
)
async def test_without_room_messages_are_dropped_and_the_peer_is_told(policy: Overflow, last: Delivery, got: list[str]) -> None:
    """Dropping oldest or newest: a `gap` with their number goes out before the next frame, and the loss is counted."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=2)
        deliveries = [outbox.send_nowait(frame(text), 1, policy) for text in "bcde"]
        assert deliveries[-1] is last
        assert outbox.dropped == 2
        peer.gate.set()
    assert peer.got == got


async def test_a_message_that_cannot_get_room_displaces_none() -> None:
    """`drop_oldest` where what may be dropped is too little: only the new message is lost, and its sender is told so."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=9, size=10)
        outbox.send_nowait(frame("kept"), 5)
        assert outbox.send_nowait(frame("b"), 5, Overflow.DROP_OLDEST) is Delivery.QUEUED
        assert outbox.send_nowait(frame("c"), 6, Overflow.DROP_OLDEST) is Delivery.DROPPED
        assert outbox.send_nowait(frame("d"), 4, Overflow.DROP_OLDEST) is Delivery.DISPLACED
        assert outbox.dropped == 2
        peer.gate.set()
    assert peer.got == ["a", "gap 2", "kept", "d"]


async def test_an_older_one_of_a_key_that_is_lost_with_the_newer_is_counted() -> None:
    """Neither reaches the peer where the newer one finds no room: it is told of both."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=9, size=100)
        outbox.send_nowait(frame("answer"), 90)
        assert outbox.send_nowait(frame("old"), 10, Overflow.DROP_OLDEST, "k") is Delivery.QUEUED
        assert outbox.send_nowait(frame("new"), 50, Overflow.DROP_OLDEST, "k") is Delivery.DROPPED
        assert (outbox.dropped, outbox.replaced) == (2, 0)
        peer.gate.set()
    assert peer.got == ["a", "gap 2", "answer"]


async def test_only_the_newest_of_each_key_is_kept() -> None:
    """`latest`: a frame takes the place of the one with its key that waits; that is no loss."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=2)
        for round_ in range(100):
            for key in "xy":
                assert outbox.send_nowait(frame(f"{key}{round_}"), 3, key=key) is Delivery.QUEUED
        assert (outbox.waiting, outbox.replaced, outbox.dropped) == (2, 198, 0)
        peer.gate.set()
    assert peer.got == ["a", "x99", "y99"]


async def test_bytes_are_a_bound_too() -> None:
    """More bytes than the limit find no room; one frame alone always does, however big."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=100, size=10)
        assert outbox.send_nowait(frame("big"), 50, Overflow.DROP_NEWEST) is Delivery.QUEUED
        assert outbox.send_nowait(frame("b"), 1, Overflow.DROP_NEWEST) is Delivery.DROPPED
        peer.gate.set()
    assert peer.got == ["a", "gap 1", "big"]


@pytest.mark.parametrize(
    ("policy", "size", "got"),
    [
        (Overflow.CLOSE, 7, ["a"]),
        (Overflow.DROP_NEWEST, 7, ["a", "gap 1", "x1", "b", "y1"]),
        (Overflow.DROP_OLDEST, 7, ["a", "gap 1", "b", "x2"]),
        (Overflow.CLOSE, 3, ["a", "x2", "b", "y1"]),
    ],
)
async def test_what_is_replaced_does_not_grow_beyond_the_bytes(policy: Overflow, size: int, got: list[str]) -> None:
    """A bigger frame of a key, for whose bytes there is no room, is one without room: its policy holds."""
    async with anyio.create_task_group() as tasks:
        peer, outbox = await stalled(tasks, frames=100, size=10)
        for key, text, bytes_ in (("x", "x1", 3), (None, "b", 3), ("y", "y1", 3)):
            outbox.send_nowait(frame(text), bytes_, Overflow.CLOSE if text == "b" else Overflow.DROP_OLDEST, key=key)
        outbox.send_nowait(frame("x2"), size, policy, key="x")
        peer.gate.set()
    assert peer.got == got
    assert peer.told == ["overflown"] * (got == ["a"])


async def test_nothing_is_sent_before_the_accept() -> None:
    """Before the handshake has its answer, sending is a mistake of the program."""
    peer = Peer()
    peer.connecting = True
    outbox = peer.outbox()
    with pytest.raises(RuntimeError, match="before the handshake is accepted"):
        await outbox.send(frame("x"), 1)
    with pytest.raises(RuntimeError, match="before the handshake is accepted"):
        outbox.send_nowait(frame("x"), 1)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_long_frame_is_left_to_a_server_that_compresses(protocol: Any) -> None:
    """A short one is written as it is, and the order is kept."""
    outbox = Outbox(protocol.send, NOBODY, frames=10, size=1000)
    if isinstance(protocol, WebSocketsSansIOProtocol):  # wsproto may compress where it is configured so
        protocol.conn.extensions = [PerMessageDeflate(False, False, 15, 15)]
    await outbox.send(frame("a"), 1)
    sent: list[str] = []

    async def send(event: Frame) -> None:
        sent.append(event["text"])

    outbox.send_event = send
    assert outbox.write("b" * PLAIN)
    assert not outbox.write("c" * (PLAIN + 1))
    assert await outbox.send(frame("d" * (PLAIN + 1)), PLAIN + 1) is Delivery.SENT
    assert sent == ["d" * (PLAIN + 1)]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_direct_write_that_fails_closes_it(protocol: Any) -> None:
    """As one through `send` does: the session is told, and nothing is taken any more."""
    peer = Peer()
    outbox = Outbox(protocol.send, peer, frames=10, size=1000)
    await outbox.send(frame("a"), 1)

    def fail(data: bytes) -> None:
        raise OSError

    protocol.transport.write = fail
    assert outbox.send_nowait(frame("b"), 1) is Delivery.CLOSED
    assert await outbox.send(frame("c"), 1) is Delivery.CLOSED
    assert not outbox.write("d")
    assert peer.told == ["lost"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Overflow)[1:]), st.one_of(st.none(), st.integers(0, 2)), st.integers(1, 6), st.booleans()),
        max_size=40,
    )
)
def test_whatever_is_sent_the_bounds_hold_and_every_loss_is_told(sends: list[tuple[Overflow, int | None, int, bool]]) -> None:
    """At any time no more waits than the bounds allow; sent, replaced and told as lost together are all that was taken."""

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            peer = Peer(tasks)
            outbox = peer.outbox(frames=4, size=12)
            for policy, key, size, lets_write in sends:
                before = outbox.dropped, outbox.replaced
                told = outbox.send_nowait(frame("m"), size, policy, key)
                assert outbox.waiting <= 4
                assert (told in (Delivery.DROPPED, Delivery.DISPLACED)) is (outbox.dropped > before[0])
                if lets_write:
                    peer.gate.set()
                    for _ in range(20):  # more than enough for all that may wait
                        await checkpoint()
                    peer.gate = anyio.Event()
            peer.gate.set()
            await outbox.send(frame("last"), 1)
        lost = sum(int(text.removeprefix("gap ")) for text in peer.got if text.startswith("gap"))
        assert lost == outbox.dropped
        assert peer.got.count("m") + lost + outbox.replaced == len(sends)

    anyio.run(run)
