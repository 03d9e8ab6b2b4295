"""The sessions of one node in one group, and what the engine knows of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.groups.engines.listening import Heard, connected
from tests.groups.presence.workers import Who, Worker, joined, who
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import MemoryEngine, PresenceOf
from wscontrollers.groups.presence.batches import SIZE
from wscontrollers.groups.presence.entry import Notice, entries_in, notice_in
from wscontrollers.groups.presence.places import channel_of, index_of, space_of
from wscontrollers.messages import Presence


@asynccontextmanager
async def overheard(presence: Any = Who) -> AsyncIterator[tuple[Worker, Heard, Any]]:
    """A worker, and what it tells others."""
    engine = MemoryEngine()
    async with connected(engine) as (ear, heard), Worker(engine, presence) as worker:
        await ear.subscribe(channel_of("tea"))
        yield worker, heard, ear


def notices(heard: Heard) -> list[Notice]:
    found = [notice_in(arrival.data) for arrival in heard.arrivals]
    assert None not in found
    return [notice for notice in found if notice is not None]


async def test_the_engine_knows_before_others_are_told() -> None:
    """Who hears that a session came finds it in the engine; who hears that it left finds it no more."""
    async with overheard() as (worker, heard, ear):
        found: list[tuple[list[str], list[str], bool]] = []
        arrived = heard.arrived

        def look(arrival: Any) -> None:
            arrived(arrival)
            engine: Any = worker.groups.engine
            kept = list(engine.entries(space_of("tea")))
            notice = notices(heard)[-1]
            found.append(([each.session for each in notice.joined], notice.left, notice.node in engine.alive()))
            assert kept == [each.session for each in notice.joined]

        heard.arrived = look  # type: ignore[method-assign]
        async with worker.connect("Ann", "ann") as ann:
            await ann.expect(Presence)
            (session,) = (each.session for each in await worker.groups.members("tea"))
            assert list(await ear.entries(index_of(worker.groups._hub().node.id))) == ["tea"]
        await worker.client.clock.advance(0)
        assert found == [([session], [], True), ([], [session], True)]


async def test_those_who_come_together_are_told_together() -> None:
    """While the engine is busy with one, others wait; then they go in one notice, and none is lost."""
    async with overheard() as (worker, heard, ear), AsyncExitStack() as stack:
        hub = worker.groups._hub()
        connection: Any = await hub.open()
        put, is_free = connection.put, anyio.Event()

        async def slow(*arguments: Any) -> None:
            await is_free.wait()
            await put(*arguments)

        vars(connection)["put"] = slow
        peers = [
            await stack.enter_async_context(
                worker.client.connect("/", params={"name": f"{n}", "user": f"{n}"}, allow_leftovers=True)
            )
            for n in range(5)
        ]
        is_free.set()
        for peer in peers:
            await peer.expect(Presence)
        await worker.client.clock.advance(0)
        assert [len(notice.joined) for notice in notices(heard)] == [1, 4]
        assert len(await ear.entries(space_of("tea"))) == 5


async def test_a_notice_is_never_too_long() -> None:
    """More than a batch go in several."""
    async with overheard(PresenceOf(Who, linger=0)) as (worker, heard, _), AsyncExitStack() as stack:
        for n in range(SIZE + 1):
            await stack.enter_async_context(worker.client.connect("/", params={"name": f"{n}"}, allow_leftovers=True))
        await worker.client.clock.advance(0)
        roster = worker.groups._hub().node._rosters["tea"]
        heard.arrivals.clear()
        roster.forget()
        await worker.beat()
        assert [len(notice.joined) for notice in notices(heard)] == [SIZE, 1]


@pytest.mark.parametrize("fails", ["renew", "put", "remove", "publish"])
async def test_what_the_engine_did_not_take_is_tried_again(fails: str) -> None:
    """At the next beat everybody who came or left is known, whatever failed before."""
    async with overheard() as (worker, heard, ear), worker.connect("Bob", "bob") as bob:
        await bob.expect(Presence)
        hub = worker.groups._hub()
        if fails == "renew":
            hub.node._is_enrolled = False
        connection: Any = await hub.open()
        real = getattr(connection, fails)

        async def fail(*arguments: Any) -> None:
            raise EngineDownError("no answer")

        vars(connection)[fails] = fail
        async with worker.connect("Eve", "eve") as eve:
            await eve.expect(Presence)
            assert await bob.expect(Presence) == joined(who("Eve"))
        async with worker.connect("Ann", "ann") as ann:
            await ann.expect(Presence)
            await bob.expect(Presence)
            assert await worker.names() == ["Bob", "Ann"]
            vars(connection)[fails] = real
            await worker.beat()
            kept = [each.user for each in entries_in(await ear.entries(space_of("tea")))]
            assert sorted(each or "" for each in kept) == ["ann", "bob"]
            told = notices(heard)
            assert {each.user for notice in told for each in notice.joined} >= {"ann", "bob"}
            came = [each.session for notice in told for each in notice.joined if each.user == "eve"]
            assert set(came) <= {session for notice in told for session in notice.left}


async def test_a_join_that_is_cancelled_leaves_nothing() -> None:
    """Wherever it stood: the session is in the group or not, for itself and for all others."""
    async with overheard() as (worker, heard, ear):
        hub = worker.groups._hub()
        connection: Any = await hub.open()
        put, is_there = connection.put, anyio.Event()

        async def hang(*arguments: Any) -> None:
            await put(*arguments)
            is_there.set()
            await anyio.sleep_forever()

        vars(connection)["put"] = hang
        async with worker.connect("Ann", "ann") as ann:
            await ann.expect(Presence)
            await is_there.wait()
        vars(connection)["put"] = put
        await worker.client.clock.advance(0)
        assert await ear.entries(space_of("tea")) == {}
        assert worker.groups._hub().node._rosters == {}
        assert {each.session for notice in notices(heard) for each in notice.joined} <= {
            session for notice in notices(heard) for session in notice.left
        }
