"""What becomes of a message that is sent."""

from __future__ import annotations

import json
from typing import Any, get_args

import anyio
import pytest

from wscontrollers import App, Controller, Message, Session, websocket
from wscontrollers.messages import policies
from wscontrollers.session.delivery import Delivery, Overflow
from wscontrollers.session.limits import Limits
from wscontrollers.testing import AsyncTestClient

pytestmark = pytest.mark.anyio


class Said(Message):
    text: str


def test_every_policy_that_can_be_declared_says_what_happens() -> None:
    """The names of a controller's `outbox` and of a message's are those of `Overflow`."""
    assert {overflow.value for overflow in Overflow} == set(get_args(policies.Overflow))


async def test_what_a_sender_is_told() -> None:
    """Handed over while the peer keeps up, then queued, then dropped; never an exception, also behind the end."""
    told: dict[str, Any] = {}

    class Rooms(Controller):
        outbox = "drop_newest"
        limits = Limits(outbox=3)

        @websocket("/")
        async def open(self, session: Session[Said, Said]) -> None:
            told["first"] = await session.send(Said(text=""))
            async for message in session:
                told["slow"] = [session.send_nowait(Said(text=message.text * 70_000)) for _ in range(8)]
                break
            await session.close()
            told["last"] = [session.send_nowait(Said(text="")), await session.send(Said(text=""))]

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/") as session:
        await session.expect(Said)
        session.pause_reading()
        await session.send(Said(text="x"))
        await anyio.wait_all_tasks_blocked()
        session.resume_reading()
        for _ in range(1 + told["slow"].count(Delivery.SENT) + told["slow"].count(Delivery.QUEUED)):
            await session.receive_text()  # one of them says how many were lost
        await session.expect_closed(1000)
    assert told["first"] is Delivery.SENT
    assert told["slow"][-1] is Delivery.DROPPED
    assert Delivery.QUEUED in told["slow"]
    assert told["last"] == [Delivery.CLOSED, Delivery.CLOSED]


@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest"])
async def test_a_session_counts_what_its_client_lost(policy: Any) -> None:
    """With either policy, though what gives way to a newer message had been queued."""
    told: list[Any] = []

    class Rooms(Controller):
        outbox = policy
        limits = Limits(outbox=3)

        @websocket("/")
        async def open(self, session: Session[Said, Said]) -> None:
            async for message in session:
                told.append([session.send_nowait(Said(text=message.text * 70_000)) for _ in range(8)])
                told.append(session.dropped)
                break

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/", allow_leftovers=True) as session:
        session.pause_reading()
        await session.send(Said(text="x"))
        await anyio.wait_all_tasks_blocked()
        session.resume_reading()
        frames = [json.loads(await session.receive_text()) for _ in range(8 - told[1] + 1)]
    assert told[1] > 1
    assert sum(frame.get("dropped", 0) for frame in frames) == told[1]
    assert told[0].count(Delivery.DROPPED if policy == "drop_newest" else Delivery.DISPLACED) == told[1]
