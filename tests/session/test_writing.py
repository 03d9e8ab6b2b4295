"""The writing of an outbox: in order, one frame at a time, until nothing waits or the peer is gone."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.session.connections import protocol as protocol
from tests.session.test_outbox import Peer, frame
from wscontrollers.session import Delivery
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.outbox import Outbox


async def test_who_sends_while_another_writes_waits_in_line() -> None:
    """Concurrent sends never interleave and keep their order; each is told what became of its own frame."""
    deliveries: list[Delivery] = []
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        outbox = peer.outbox()

        async def send(text: str) -> None:
            deliveries.append(await outbox.send(frame(text), 1))

        for text in "abcd":  # beyond the bound: who waits for the peer is its own bound
            tasks.start_soon(send, text)
            await anyio.wait_all_tasks_blocked()
        assert outbox.waiting == 3
        peer.gate.set()
    assert peer.got == ["a", "b", "c", "d"]
    assert deliveries == [Delivery.SENT] * 4


async def test_a_write_that_fails_closes_it() -> None:
    """When the peer is gone all who send and wait are told CLOSED, without an exception."""
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        outbox = peer.outbox()
        deliveries: list[Delivery] = []

        async def send() -> None:
            deliveries.append(await outbox.send(frame("x"), 1))

        tasks.start_soon(send)
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        peer.is_gone = True
        peer.gate.set()
    assert deliveries == [Delivery.CLOSED, Delivery.CLOSED]
    assert peer.told == ["lost"]
    assert await outbox.send(frame("y"), 1) is Delivery.CLOSED
    assert outbox.send_nowait(frame("y"), 1) is Delivery.CLOSED


async def test_flush_waits_until_all_is_written() -> None:
    """`flush` returns when nothing waits, and at once when the outbox is closed."""
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        outbox = peer.outbox()
        for text in "abc":
            outbox.send_nowait(frame(text), 1)
        tasks.start_soon(outbox.flush)
        await anyio.wait_all_tasks_blocked()
        peer.gate.set()
        await outbox.flush()
        assert peer.got == ["a", "b", "c"]
        outbox.close()
        await outbox.flush()


@pytest.mark.parametrize("is_gone", [False, True])
async def test_flush_tells_what_was_dropped_last(is_gone: bool) -> None:
    """Where no frame came behind it that would have told: what waited was given up meanwhile."""
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        outbox = peer.outbox(frames=1)
        tasks.start_soon(outbox.send, frame("a"), 1)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as waiting:
            async with anyio.create_task_group() as givers:
                givers.start_soon(outbox.send, frame("given up"), 1)
                await anyio.wait_all_tasks_blocked()
                for _ in range(3):
                    assert outbox.send_nowait(frame("b"), 1, Overflow.DROP_NEWEST) is Delivery.DROPPED
                waiting.cancel()
        peer.gate.set()
        await anyio.wait_all_tasks_blocked()
        peer.is_gone = is_gone
        await outbox.flush()
        await outbox.flush()
    assert peer.got == ["a"] if is_gone else ["a", "gap 3"]
    assert peer.told == (["lost"] if is_gone else [])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_nothing_overtakes_a_frame_that_waits(protocol: Any) -> None:
    """While the server's `send` waits for the transport, all that is sent queues behind it; then frames go past it again."""
    async with anyio.create_task_group() as tasks:
        outbox = Outbox(protocol.send, Peer(tasks), frames=10, size=1000)
        await outbox.send(frame("a"), 1)
        assert await outbox.post("b") is Delivery.SENT
        protocol.transport.unread = 65_537
        protocol.pause_writing()
        assert not outbox.write("c")
        tasks.start_soon(outbox.post, "c")
        await anyio.wait_all_tasks_blocked()
        assert outbox.send_nowait(frame("d"), 1) is Delivery.QUEUED
        protocol.resume_writing()
        assert not outbox.write("e")  # the transport has room again, but there is an order
        assert outbox.send_nowait(frame("e"), 1) is Delivery.QUEUED
        await outbox.flush()
        assert outbox.write("f")
    assert protocol.transport.written == b"".join(b"\x81\x01" + text.encode() for text in "abcdef")
    assert outbox.writes == 6
