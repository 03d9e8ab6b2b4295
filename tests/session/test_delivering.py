"""Answers on their way: not lost with their handler, given up with their session."""

from __future__ import annotations

import anyio
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from tests.session.test_outbox import Peer
from wscontrollers.session import Delivery
from wscontrollers.session.delivering import Deliveries
from wscontrollers.session.outbox import Outbox


async def test_a_cancelled_sender_is_sent_to_its_end() -> None:
    """Both the frame that is being written and the one that waits behind it."""
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        deliveries = Deliveries(Outbox(peer.take, peer, frames=10, size=1000))
        sent: list[Delivery] = []

        async def send(text: str, scope: CancelScope) -> None:
            with scope:
                sent.append(await deliveries.send({"text": text}, 1))

        scopes = [CancelScope(), CancelScope()]
        for text, scope in zip("ab", scopes, strict=True):
            tasks.start_soon(send, text, scope)
        await anyio.wait_all_tasks_blocked()
        for scope in scopes:
            scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert (peer.got, sent) == ([], [])
        peer.gate.set()
    assert (sorted(peer.got), sent) == (["a", "b"], [Delivery.SENT, Delivery.SENT])


async def test_what_is_given_up_is_closed() -> None:
    """Who delivers goes on; what is delivered later is another matter."""
    async with anyio.create_task_group() as tasks:
        peer = Peer(tasks)
        deliveries = Deliveries(Outbox(peer.take, peer, frames=10, size=1000))
        sent: list[Delivery] = []

        async def send() -> None:
            sent.append(await deliveries.send({"text": "a"}, 1))
            await checkpoint()
            peer.gate.set()
            sent.append(await deliveries.send({"text": "b"}, 1))

        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        deliveries.give_up()
    assert (peer.got, sent) == (["b"], [Delivery.CLOSED, Delivery.SENT])
