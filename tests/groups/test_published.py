"""What is known of a publication."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import App, Controller, Message, Session, latest, websocket
from wscontrollers.groups import Group, Groups, History, Published
from wscontrollers.groups.published import Tally
from wscontrollers.messages import Gap
from wscontrollers.session import Limits
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


class Long(Message):
    n: int
    text: str


class Price(Message):
    symbol: str
    cents: int


async def test_without_members_nobody_hears() -> None:
    """It is taken all the same; a group with a history says at which place."""
    groups = Groups(None, [Group("kept", history=History())])
    assert await groups.publish("plain", Said(n=1)) == Published(0, 0, None)
    first, second = [await groups.publish("kept", Said(n=n)) for n in (1, 2)]
    assert first.mark != second.mark
    assert first.mark is not None
    await groups.close()


def test_of_one_that_is_on_its_way_nothing_is_known() -> None:
    """But its place, where the engine gave it one."""
    assert Published.on_its_way("m") == Published(None, None, "m", None)
    assert Tally(7, 3, 1, 2).published("m") == Published(delivered=3, dropped=1, mark="m", displaced=2)


@pytest.mark.parametrize(
    ("policy", "fifth"),
    [("drop_oldest", Published(1, 0, None, 1)), ("drop_newest", Published(0, 1)), (latest(key="n"), Published(0, 0))],
)
async def test_who_publishes_is_told_of_what_a_slow_session_loses(policy: Any, fifth: Published) -> None:
    """Whatever is lost: the message itself, an older one for it, or the session."""

    class Rooms(Controller):
        outbox = policy
        limits = Limits(outbox=4)

        @websocket("/")
        async def open(self, session: Session[Said, Said | Long]) -> None:
            await session.join("tea")
            async for _ in session:
                pass

    app = App(controllers=[Rooms])
    async with AsyncTestClient(app) as client, client.connect("/", allow_leftovers=True) as session:
        await session.expect_nothing()
        session.pause_reading()
        for n in range(2):  # one fills the buffers, one is under way
            await app.groups.publish("tea", Long(n=n, text="x" * 100_000))
            await client.clock.advance(0.1)
        assert [await app.groups.publish("tea", Said(n=n)) for n in range(4)] == [Published(1, 0)] * 4
        assert await app.groups.publish("tea", Said(n=4)) == fifth
        session.resume_reading()
        await session.expect(Long)
        await session.expect(Long)
        if fifth.delivered or fifth.dropped:
            assert await session.expect(Gap) == Gap(1, "slow")


async def test_of_a_controller_that_keeps_the_newest_none_of_a_key_is_lost() -> None:
    """Messages of groups are compared by the controller's key, though only their frames come to the session."""

    class Prices(Controller):
        outbox = latest(key="symbol")
        limits = Limits(outbox=2)
        sends = (Price, Long)

        @websocket("/")
        async def open(self, session: Session) -> None:
            await session.join("market")
            await session.websocket.receive()

    app = App(controllers=[Prices])
    async with AsyncTestClient(app) as client, client.connect("/") as session:
        await session.expect_nothing()
        session.pause_reading()
        for n in range(2):
            await app.groups.publish("market", Long(n=n, text="x" * 100_000))
            await client.clock.advance(0.1)
        told = {await app.groups.publish("market", Price(symbol=s, cents=n)) for n in range(9) for s in ("TEA", "MILK")}
        assert told == {Published(1, 0)}
        session.resume_reading()
        assert [(await session.expect(Long)).n for _ in range(2)] == [0, 1]
        assert [await session.expect(Price) for _ in range(2)] == [Price(symbol=s, cents=8) for s in ("TEA", "MILK")]
