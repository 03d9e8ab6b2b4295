"""One event loop among all those that keep presence in an engine."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from tests.groups.presence.workers import LEASE, Moved, Worker, joined, left, who
from wscontrollers.groups import MemoryEngine
from wscontrollers.groups.presence.places import NODES, index_of, space_of
from wscontrollers.messages import Presence


async def kept(worker: Worker, space: str) -> set[str]:
    """What the engine has in a space."""
    return set(await (await worker.groups._hub().open()).entries(space))


def node(worker: Worker) -> str:
    return worker.groups._hub().node.id


async def test_the_members_of_a_killed_worker_leave_within_the_bound() -> None:
    """They are there until its lease is over; at the next beat of another worker its members are told, once."""
    engine = MemoryEngine(clock=(clock := Moved()))
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        Worker(engine) as three,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob") as bob,
        three.connect("Eve", "eve") as eve,
    ):
        for peer, frames in ((ann, 3), (bob, 2), (eve, 1)):
            for _ in range(frames):
                last = await peer.expect(Presence)
        (_, there, _) = last.joined
        two.stop()
        clock.seconds = LEASE - 1
        for worker in (one, three):
            await worker.beat()
            assert await worker.names() == ["Ann", "Bob", "Eve"]
        await ann.expect_nothing()
        clock.seconds = LEASE
        for worker, peer in ((one, ann), (three, eve)):
            assert await worker.names() == ["Ann", "Eve"]
            await worker.beat()
            assert await peer.expect(Presence) == left(there)
            await worker.beat()
            await peer.expect_nothing()
        assert await kept(one, space_of("tea")) == {each.session for each in await one.groups.members("tea")}
        assert await kept(one, index_of(node(two))) == set()
        assert await kept(one, NODES) == {node(one), node(three)}


async def test_a_user_who_comes_back_to_another_worker_never_left() -> None:
    """His worker was killed, and before that is known he has a session elsewhere: nobody is told of anything."""
    engine = MemoryEngine(clock=(clock := Moved()))
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
    ):
        for _ in range(2):
            await ann.expect(Presence)
        await bob.expect(Presence)
        two.stop()
        async with one.connect("Bob", "bob") as again:
            assert await again.expect(Presence) == joined(who("Ann"), who("Bob"))
            for clock.seconds in (LEASE / 2, LEASE):
                await one.beat()
            await ann.expect_nothing()
            assert await one.names() == ["Ann", "Bob"]


async def test_a_worker_that_was_taken_for_dead_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """At its next beat its members are there again, and the others are told that they came."""
    engine = MemoryEngine(clock=(clock := Moved()))
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
    ):
        for _ in range(2):
            await ann.expect(Presence)
        await bob.expect(Presence)
        two.stop()
        for clock.seconds in (LEASE / 2, LEASE):
            await one.beat()
        assert await ann.expect(Presence) == left(who("Bob"))
        two.go_on()
        assert await two.names() == ["Ann", "Bob"]
        await two.beat()
        assert await ann.expect(Presence) == joined(who("Bob"))
        assert await one.names() == ["Ann", "Bob"]
        await bob.expect_nothing()
        await two.beat()
        await ann.expect_nothing()
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "presence: this process was taken for dead, or the engine lost what it knew; it is told again"
    ]


async def test_a_worker_that_renewed_its_lease_and_was_cleaned_up_all_the_same() -> None:
    """Another one looked just before: its own entry was removed last, and by that it knows."""
    engine = MemoryEngine(clock=Moved())
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
    ):
        for _ in range(2):
            await ann.expect(Presence)
        await bob.expect(Presence)
        hub = one.groups._hub()
        await hub.node._clean(await hub.open(), node(two))
        assert await one.names() == ["Ann"]
        await two.beat()
        assert await one.names() == ["Ann", "Bob"]
        await ann.expect_nothing()


async def test_an_engine_that_lost_everything_is_told_again() -> None:
    """A server that was started anew without a disk: each worker notices it at its next beat."""
    engine = MemoryEngine()
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
    ):
        for _ in range(2):
            await ann.expect(Presence)
        await bob.expect(Presence)
        engine._spaces.clear()
        engine._nodes.clear()
        for worker in (one, two, one, two, one, two, one):
            await worker.beat()
        for worker in (one, two):
            assert await worker.names() == ["Ann", "Bob"]
        await one.client.clock.advance(5)
        await two.client.clock.advance(5)
        await ann.expect_nothing()
        await bob.expect_nothing()


async def test_a_worker_that_shuts_down_leaves_nothing() -> None:
    """Nobody waits for the end of its lease, and who goes on elsewhere within a moment was never away."""
    engine = MemoryEngine()
    async with Worker(engine) as one, one.connect("Ann", "ann") as ann:
        await ann.expect(Presence)
        async with (
            Worker(engine) as two,
            two.connect("Bob", "bob") as bob,
        ):
            await ann.expect(Presence)
            await bob.expect(Presence)
            await two.groups.close()
            assert await one.names() == ["Ann"]
            assert await kept(one, NODES) == {node(one)}
            assert engine.alive() == {node(one)}
        async with one.connect("Bob", "bob") as bob:
            await bob.expect(Presence)
            await one.client.clock.advance(5)
            await ann.expect_nothing()


async def test_the_members_of_a_worker_that_shuts_down_are_told_nothing() -> None:
    """All of them go; those of other workers are told so."""
    engine = MemoryEngine()
    async with Worker(engine) as one, Worker(engine) as two, two.connect("Eve") as eve:
        await eve.expect(Presence)
        async with one.connect("Ann") as ann, one.connect("Bob") as bob:
            there = (await bob.expect(Presence)).joined[1:]
            for _ in range(2):
                await ann.expect(Presence)
                await eve.expect(Presence)
            await one.groups.close()
            await ann.expect_nothing()
            await bob.expect_nothing()
            assert await eve.expect(Presence) == left(*there)


async def test_nothing_is_left_when_the_last_session_went() -> None:
    """Neither the group nor the node; the lease ends at the next beat, and with it the task."""
    engine = MemoryEngine()
    async with Worker(engine) as worker:
        for _ in range(2):
            async with worker.connect("Ann", "ann") as ann:
                await ann.expect(Presence)
                assert engine.alive() == {node(worker)}
            await worker.client.clock.advance(0)
            assert await kept(worker, space_of("tea")) == await kept(worker, index_of(node(worker))) == set()
            await worker.beat()
            assert engine.alive() == set()
            assert await kept(worker, NODES) == set()
        hub = worker.groups._hub()
        assert hub.node._rosters == {}
        hub.node.wake()
        await worker.client.clock.advance(0)
        assert not hub.node._beats


async def test_an_engine_that_is_away_is_told_when_it_is_back() -> None:
    """Sessions come, leave and change meanwhile; nobody is told twice."""
    engine = MemoryEngine()
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
        two.connect("Eve", "eve") as eve,
    ):
        for peer, frames in ((ann, 3), (bob, 2), (eve, 1)):
            for _ in range(frames):
                last = await peer.expect(Presence)
        two.stop()
        async with two.connect("Joe", "joe") as joe:
            assert (await joe.expect(Presence)).joined == [*last.joined, who("Joe")]
            assert await bob.expect(Presence) == await eve.expect(Presence) == joined(who("Joe"))
            await ann.expect_nothing()
            assert await one.names() == ["Ann", "Bob", "Eve"]
            two.go_on()
            await two.beat()
            assert await ann.expect(Presence) == joined(who("Joe"))
            assert await one.names() == ["Ann", "Bob", "Eve", "Joe"]
            await bob.expect_nothing()


async def test_a_beat_that_fails_is_not_the_last_one(caplog: pytest.LogCaptureFixture) -> None:
    """A failure is logged, and the next beat makes good for it."""
    async with Worker(MemoryEngine()) as worker, worker.connect("Ann", "ann") as ann:
        await ann.expect(Presence)
        hub = worker.groups._hub()
        connection = await hub.open()

        async def fail(*arguments: Any) -> None:
            raise RuntimeError("a bug")

        vars(connection)["alive"] = fail
        hub.node.wake()
        await worker.client.clock.advance(0)
        assert [record.message for record in caplog.records] == ["presence: a beat failed"]
        caplog.clear()
        del vars(connection)["alive"]
        engine: Any = worker.groups.engine
        engine._spaces.clear()
        hub.node.wake()
        await worker.client.clock.advance(0)
        assert await kept(worker, NODES) == {node(worker)}
        assert hub.node._beats


async def test_a_beat_comes_by_itself() -> None:
    """Three in each lease; nothing of a test is needed for it."""
    engine = MemoryEngine()
    async with Worker(engine) as worker, worker.connect("Ann", "ann") as ann:
        await ann.expect(Presence)
        await worker.groups._hub().node.close()
        assert engine.alive() == set()
        worker.groups._hub().node.lease = 0.3
        async with worker.connect("Bob", "bob") as bob:
            await bob.expect(Presence)
            begin = engine._nodes[node(worker)]
            with anyio.fail_after(5):
                while engine._nodes[node(worker)] < begin + 0.2:  # noqa: ASYNC110 - nothing tells of a beat
                    await anyio.sleep(0.02)
            assert engine.alive() == {node(worker)}
