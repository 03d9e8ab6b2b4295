"""The members of a group in one process, and what they hear of other processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.groups.engines.listening import connected
from tests.groups.presence.workers import Become, Who, Worker, joined, left, who
from wscontrollers.groups import MemoryEngine, Position, PresenceOf
from wscontrollers.groups.engines.engine import Connection
from wscontrollers.groups.presence.entry import Entry, Notice
from wscontrollers.groups.presence.places import channel_of, space_of
from wscontrollers.messages import Presence
from wscontrollers.session.watch import watch_of


class Elsewhere:
    """Another process, of which a test says what it does and what of that arrives."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def put(self, *names: str) -> list[Entry]:
        """Sessions came, and the engine knows it."""
        await self.connection.renew("elsewhere", 60)
        entries = [Entry(name, "elsewhere", {"name": name}, 0.0, 0.0, name.lower()) for name in names]
        for entry in entries:
            await self.connection.put(space_of("tea"), entry.session, entry.encode())
        return entries

    async def tell(self, data: bytes) -> Position:
        """Whoever hears of the group hears this."""
        return await self.connection.publish(channel_of("tea"), data)

    async def come(self, *names: str) -> None:
        """Sessions came."""
        await self.tell(Notice("elsewhere", await self.put(*names)).encode())

    async def go(self, *names: str) -> None:
        """Sessions left."""
        for name in names:
            await self.connection.remove(space_of("tea"), name)
        await self.tell(Notice("elsewhere", [], list(names)).encode())


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Worker, Any, Elsewhere]]:
    """A worker with one member, and another process."""
    engine = MemoryEngine()
    async with connected(engine) as (connection, _), Worker(engine) as worker, worker.connect("Ann", "ann") as ann:
        assert await ann.expect(Presence) == joined(who("Ann"))
        yield worker, ann, Elsewhere(connection)


async def test_what_others_tell_reaches_the_members() -> None:
    """Once, also if it is told twice."""
    async with scene() as (worker, ann, elsewhere):
        await elsewhere.come("Bob", "Eve")
        assert await ann.expect(Presence) == joined(who("Bob"), who("Eve"))
        await elsewhere.come("Bob")
        await elsewhere.go("Eve", "Joe")
        await worker.client.clock.advance(2)
        assert await ann.expect(Presence) == left(who("Eve"))
        await ann.expect_nothing()


async def test_who_comes_first_hears_of_all_who_came_before() -> None:
    """What happens while the group is read is not missed, and not told twice; who is gone by then was never there."""
    engine = MemoryEngine()
    async with connected(engine) as (connection, _), Worker(engine) as worker:
        elsewhere = Elsewhere(connection)
        await elsewhere.put("Bob", "Eve")
        hub = worker.groups._hub()
        here: Any = await hub.open()
        alive = here.alive

        async def meanwhile() -> Any:
            await elsewhere.go("Eve")
            await elsewhere.come("Joe")
            return await alive()

        vars(here)["alive"] = meanwhile
        async with worker.connect("Ann", "ann") as ann:
            assert await ann.expect(Presence) == joined(who("Bob"), who("Ann"), who("Joe"))
            vars(here)["alive"] = alive
            await worker.client.clock.advance(2)
            await ann.expect_nothing()


async def test_what_a_worker_knows_of_its_own_sessions_is_not_told_to_it() -> None:
    """Its own notices come back late, and the engine may have sessions that have left: neither brings anybody back."""
    async with scene() as (worker, ann, elsewhere):
        own = worker.groups._hub().node.id
        gone = Entry("gone", own, {"name": "Gone"}, 0.0, 0.0)
        (here,) = await worker.groups.members("tea")
        await elsewhere.connection.put(space_of("tea"), "gone", gone.encode())
        await elsewhere.tell(Notice(own, [gone], [here.session]).encode())
        await worker.client.clock.advance(5)
        await ann.expect_nothing()
        worker.groups._hub().resumed(channel_of("tea"), Position("another", 0))
        await worker.client.clock.advance(5)
        await ann.expect_nothing()
        assert await worker.names() == ["Ann"]


async def test_what_is_missing_is_read_again() -> None:
    """A hole in the numbers of what others tell: the differences are told, and nothing else."""
    async with scene() as (worker, ann, elsewhere):
        await elsewhere.come("Bob", "Eve")
        await ann.expect(Presence)
        hub = worker.groups._hub()
        arrived = hub.arrived
        hub.arrived = lambda arrival: None  # type: ignore[method-assign]  # what the engine brings does not get through
        await elsewhere.go("Bob")
        await elsewhere.come("Joe")
        hub.arrived = arrived  # type: ignore[method-assign]
        await ann.expect_nothing()
        await elsewhere.come("Eve")
        assert await ann.expect(Presence) == joined(who("Joe"))
        await worker.client.clock.advance(2)
        assert await ann.expect(Presence) == left(who("Bob"))


async def test_an_interruption_is_made_good_for() -> None:
    """When the engine says that it went on elsewhere, everything is read again; when nothing was missed, it is not."""
    async with scene() as (worker, ann, elsewhere):
        here = await elsewhere.tell(Notice("elsewhere").encode())
        hub = worker.groups._hub()
        await elsewhere.put("Bob")
        hub.resumed(channel_of("tea"), here)
        await ann.expect_nothing()
        hub.resumed(channel_of("tea"), Position("another", 0))
        assert await ann.expect(Presence) == joined(who("Bob"))


@pytest.mark.parametrize("data", [b"", b"junk", b'{"node": 1}'])
async def test_what_is_no_notice_harms_nobody(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and what comes behind it is heard."""
    async with scene() as (_, ann, elsewhere):
        await elsewhere.tell(data)
        await elsewhere.come("Bob")
        assert await ann.expect(Presence) == joined(who("Bob"))
        assert [record.message for record in caplog.records] == ["presence: what another process tells was not understood"]


async def test_a_member_that_cannot_be_told_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The others are told all the same, and its failure is logged."""
    async with scene() as (worker, ann, elsewhere), worker.connect("Bad", "bad") as bad:
        await ann.expect(Presence)
        await bad.expect(Presence)
        hub = worker.groups._hub()
        (life,) = (each.life for each in hub.sessions.values() if each.user == "bad")
        outbox, life.outbox = life.outbox, None  # type: ignore[assignment]
        await elsewhere.come("Bob")
        life.outbox = outbox
        assert await ann.expect(Presence) == joined(who("Bob"))
        await bad.expect_nothing()
        assert [record.message for record in caplog.records] == [f"session {life.id}: it could not be told who is in group 'tea'"]


async def test_nobody_is_looked_after_when_nobody_waits() -> None:
    """The look-out for those who may come back ends with the last of them, or with the last who would be told."""
    async with scene() as (worker, ann, elsewhere):
        roster = worker.groups._hub().node._rosters["tea"]
        audience = roster.audience
        assert audience is not None
        watched = watch_of(worker.client.clock)._watched
        await elsewhere.come("Bob")
        assert id(audience) not in watched
        await elsewhere.go("Bob")
        assert id(audience) in watched
        await worker.client.clock.advance(2)
        assert id(audience) not in watched
        for _ in range(2):
            await ann.expect(Presence)
        await elsewhere.come("Bob")
        await elsewhere.go("Bob")
        await ann.expect(Presence)
        await worker.groups.close()
        assert id(audience) not in watched


def rooms(presence: Any) -> tuple[Worker, AsyncExitStack]:
    """A worker, and what holds its peers."""
    return Worker(MemoryEngine(), presence), AsyncExitStack()


async def test_many_who_come_are_told_together() -> None:
    """The first are told at once; behind them each frame has all that an interval brought, and newcomers get their list then."""
    worker, peers = rooms(PresenceOf(Who, interval=1.0, burst=2))
    async with worker, peers:
        ann, bob, eve, joe = [
            await peers.enter_async_context(worker.connect(name, name.lower())) for name in ("Ann", "Bob", "Eve", "Joe")
        ]
        assert await ann.expect(Presence) == joined(who("Ann"))
        assert await ann.expect(Presence) == joined(who("Bob"))
        assert await bob.expect(Presence) == joined(who("Ann"), who("Bob"))
        await worker.client.clock.advance(0.9)
        for peer in (ann, bob, eve, joe):
            await peer.expect_nothing()
        assert await worker.names() == ["Ann", "Bob", "Eve", "Joe"]
        await worker.client.clock.advance(0.1)
        for peer in (ann, bob):
            assert await peer.expect(Presence) == joined(who("Eve"), who("Joe"))
        for peer in (eve, joe):
            assert await peer.expect(Presence) == joined(who("Ann"), who("Bob"), who("Eve"), who("Joe"))
        await worker.client.clock.advance(5)
        for peer in (ann, bob, eve, joe):
            await peer.expect_nothing()


async def test_who_comes_and_goes_within_an_interval_is_no_news() -> None:
    """Nobody is told of him, and who goes before he got his list gets none."""
    worker, peers = rooms(PresenceOf(Who, interval=1.0, burst=1))
    async with worker, peers, worker.connect("Ann", "ann") as ann:
        await ann.expect(Presence)
        for name, user in (("Bob", "bob"), ("Eve", None)):
            async with worker.connect(name, user) as peer:
                await peer.expect_nothing()
        await ann.send(Become(name="Anna"))
        await ann.send(Become(name="Ann"))
        await worker.client.clock.advance(5)
        await ann.expect_nothing()


async def test_a_small_group_is_told_at_once_again_behind_a_quiet_time() -> None:
    """Each interval brings back one of the burst."""
    worker, peers = rooms(PresenceOf(Who, interval=1.0, burst=2, linger=0))
    async with worker, peers, worker.connect("Ann", "ann") as ann:
        await ann.expect(Presence)
        for n in range(4):
            await ann.send(Become(name=f"{n}"))
        assert await ann.expect(Presence) == joined(who("0", "ann"))
        await ann.expect_nothing()
        await worker.client.clock.advance(1)
        assert await ann.expect(Presence) == joined(who("3", "ann"))
        await worker.client.clock.advance(2)
        for n in range(2):
            await ann.send(Become(name=f"again {n}"))
            assert await ann.expect(Presence) == joined(who(f"again {n}", "ann"))


async def test_many_joins_cost_a_few_frames_each() -> None:
    """And not a frame to each of the others for each of them."""
    many, burst = 200, 8
    worker, peers = rooms(Who)
    async with worker, peers:
        everybody = [
            await peers.enter_async_context(
                worker.client.connect("/", params={"name": f"{n}", "user": f"{n}"}, allow_leftovers=True)
            )
            for n in range(many)
        ]
        await worker.client.clock.advance(1)
        frames = 0
        for peer in everybody:
            there: set[str] = set()
            while peer._transport.arrivals.waiting():
                told = await peer.expect(Presence)
                there.update(each["user"] for each in told.joined)
                frames += 1
            assert len(there) == many
        assert frames <= many + burst * (burst + 1)
