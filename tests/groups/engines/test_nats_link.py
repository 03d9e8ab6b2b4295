"""A connection to NATS that comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines import nats_link
from wscontrollers.groups.engines.engine import EngineState, History, Position
from wscontrollers.groups.engines.nats import NatsEngine
from wscontrollers.groups.engines.nats_stream import Streams
from wscontrollers.groups.engines.nats_subjects import Subjects
from wscontrollers.groups.engines.nats_wire import Wire

from .cable import Cable
from .listening import connected
from .nats_server import NatsServer
from .nats_wiring import Wired, wired
from .servers import Shaky, free_port


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


@pytest.fixture
def shaky(shaky_nats: Shaky) -> Iterator[Shaky]:
    """A server that a test may harm."""
    yield shaky_nats
    shaky_nats.server.kill()


async def restarted(shaky: Shaky) -> None:
    """End the server as a power cut does, and start it again."""
    await anyio.to_thread.run_sync(shaky.server.kill)
    await anyio.to_thread.run_sync(shaky.server.start)


async def test_streams_in_files_outlive_the_server(shaky: Shaky) -> None:
    """Killed under load: what was acknowledged is there, in the same epoch, and no number is given twice."""
    async with connected(shaky.make(storage="file", timeout=1.0)) as (connection, heard):
        begin = await connection.subscribe("tea")
        published: dict[Position, bytes] = {}

        async def publish(name: str) -> None:
            for number in range(150):
                data = f"{name} {number}".encode()
                try:
                    place = await connection.publish("tea", data, History(1_000))
                except EngineDownError:
                    await heard.until_state(EngineState.UP)
                else:
                    assert place not in published
                    published[place] = data

        async with anyio.create_task_group() as tasks:
            for name in ("ann", "bob", "eve"):
                tasks.start_soon(publish, name)
            await heard.until(lambda: len(heard.arrivals) > 50)
            await restarted(shaky)
        assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
        page = await connection.read("tea", begin)
        assert page.is_complete
        kept = {Position(begin.epoch, offset): data for offset, data in page.entries}
        assert kept.items() >= published.items()
        assert len(published) > 300


async def test_many_subscriptions_come_back(shaky: Shaky) -> None:
    """Each once, at the place where it was, or where it would be had it missed nothing."""
    async with connected(shaky.make(storage="file")) as (connection, heard):
        channels = [f"room {number}" for number in range(450)]
        places: dict[str, Position] = {}
        for number, channel in enumerate(channels):
            places[channel] = await connection.subscribe(channel)
            if number % 2:
                places[channel] = await connection.publish(channel, b"1", History() if number % 4 == 1 else None)
        await heard.until(lambda: len(heard.arrivals) == 225)
        await restarted(shaky)
        await heard.until(lambda: len(heard.resumptions) == 450)
        assert dict(heard.resumptions) == places
        for channel in channels[::45]:
            await connection.publish(channel, b"2")
        await heard.until(lambda: len(heard.arrivals) == 235)
        for arrival in heard.arrivals[225:]:
            assert arrival.previous == places[arrival.channel].offset


async def test_a_stream_is_deleted(nats_server: NatsServer) -> None:
    """It is made anew for the next message; all are told of another epoch, and nobody was down."""
    async with wired(nats_server) as here:
        prefix = here.streams.subjects.messages.removesuffix("_messages")
        engine = NatsEngine(nats_server.url, prefix=prefix)
        async with connected(engine) as (ann, ann_heard), connected(engine) as (bob, bob_heard):
            for connection in (ann, bob):
                await connection.subscribe("tea")
                await connection.subscribe("milk")
            old = await ann.publish("tea", b"1", History())
            await here.request("STREAM.DELETE")
            new = await ann.publish("tea", b"2", History())
            assert new.epoch != old.epoch
            for heard in (ann_heard, bob_heard):
                await heard.until(lambda heard=heard: len(heard.resumptions) >= 2)  # type: ignore[misc]
                await heard.until(lambda heard=heard: heard.data("tea") == [b"1", b"2"] or dict(heard.resumptions)["tea"] == new)  # type: ignore[misc]
                assert {place.epoch for _, place in heard.resumptions} == {new.epoch}
                assert heard.states == []
            assert not (await bob.read("tea", old)).is_complete
            place = await bob.publish("tea", b"3")
            for heard in (ann_heard, bob_heard):
                await heard.until(lambda heard=heard: heard.arrivals[-1].position == place)  # type: ignore[misc]
                assert heard.arrivals[-1].previous == new.offset


async def test_what_was_kept_expires_while_the_connection_is_cut(shaky: Shaky, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel with nothing in it any more is where it was after a short cut; after a long one something may be lost."""
    for least, is_same in ((600, True), (0, False)):
        monkeypatch.setattr(nats_link, "LEAST_AGE", least)
        async with Cable(shaky.server.port) as cable, connected(shaky.make(cable.port)) as (connection, heard):
            await connection.subscribe("tea")
            last = await connection.publish("tea", b"1", History())
            await connection.publish("milk", b"2", History())
            await heard.until(lambda heard=heard: heard.arrivals)  # type: ignore[misc]
            await emptied(shaky, last.epoch, "tea")
            await cable.snap()
            await heard.until(lambda heard=heard: heard.resumptions)  # type: ignore[misc]
            assert (heard.resumptions == [("tea", last)]) == is_same
            assert heard.resumptions[0][1].offset >= last.offset


async def emptied(shaky: Shaky, numbering: str, channel: str) -> None:
    """Take away what the stream has of a channel, as time does."""
    wire = Wire(2.0, lambda: None)
    await wire.open([f"nats://wsc:secret@127.0.0.1:{shaky.server.port}"], {})
    subjects = Subjects("wsc")
    here = Wired(wire, Streams(subjects, "memory", 1, "$JS.API"))
    await here.request("STREAM.PURGE", {"filter": subjects.message(numbering, "k", channel)})
    await wire.close()


async def test_a_subscription_that_was_not_confirmed(shaky: Shaky) -> None:
    """It raises, and is told of when the server goes on; what came meanwhile arrives."""
    async with connected(shaky.make(timeout=0.3)) as (connection, heard):
        shaky.server.pause()
        with pytest.raises(EngineDownError, match=r"may be done or not\. Fix: "):
            await connection.subscribe("tea")
        shaky.server.go_on()
        await heard.until(lambda: heard.resumptions)
        assert heard.resumptions[0][0] == "tea"
        if heard.states:
            await heard.until_state(EngineState.UP)
        place = await connection.publish("tea", b"1")
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[0].position == place


async def test_a_subscription_that_was_cancelled(nats_server: NatsServer, shaky: Shaky) -> None:
    """It stands, and is told of; whoever does not want it unsubscribes."""
    async with connected(shaky.make()) as (connection, heard):
        for channel in ("tea", "milk"):
            task = asyncio.ensure_future(connection.subscribe(channel))
            await asyncio.sleep(0)
            task.cancel()
        await connection.unsubscribe("milk")
        await heard.until(lambda: heard.resumptions)
        await connection.publish("milk", b"1")
        await connection.publish("tea", b"2")
        await heard.until(lambda: heard.arrivals)
        assert heard.data("tea") == [b"2"]
        assert heard.data("milk") == []
        assert [channel for channel, _ in heard.resumptions] == ["tea"]


async def test_two_subscribe_at_once(shaky: Shaky) -> None:
    """Both get the place, one may give up, and each message comes once."""
    async with connected(shaky.make()) as (connection, heard):
        tasks = [asyncio.ensure_future(connection.subscribe("tea")) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        places = await asyncio.gather(*tasks[1:])
        assert places[0] == places[1]
        await connection.publish("tea", b"1")
        await connection.publish("tea", b"2")
        await heard.until(lambda: len(heard.arrivals) >= 2)
        assert heard.data("tea") == [b"1", b"2"]


async def test_a_reason_is_told_without_a_password(shaky: Shaky) -> None:
    """Neither a state nor an error has it."""
    async with connected(shaky.make(timeout=0.3)) as (connection, heard):
        await anyio.to_thread.run_sync(shaky.server.kill)
        await heard.until_state(EngineState.DOWN)
        with pytest.raises(EngineDownError) as raised:
            await connection.publish("tea", b"1")
        assert "secret" not in f"{heard.states}{raised.value}"


@pytest.mark.parametrize("is_there", [True, False])
async def test_it_ends_at_any_moment(nats_server: NatsServer, is_there: bool) -> None:
    """While it connects, while it waits, and while somebody asks: nothing goes on behind its end."""
    url = nats_server.url if is_there else f"nats://127.0.0.1:{free_port()}"
    before = asyncio.all_tasks()
    for turns in range(150):
        async with connected(NatsEngine(url, prefix="ending", required=False, timeout=1.0)) as (connection, _):
            asked = asyncio.ensure_future(connection.publish("tea", b"1"))
            for _ in range(turns % 30):
                await asyncio.sleep(0)
            if turns % 3 == 0:
                await asyncio.sleep(0.001 * (turns % 20))
        await asyncio.wait({asked})
        assert asked.exception() is None or isinstance(asked.exception(), EngineDownError)
    assert asyncio.all_tasks() == before
