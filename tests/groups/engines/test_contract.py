"""What all engines do, in the same way: memory, Redis and Valkey, NATS."""

from __future__ import annotations

from functools import partial

import anyio
import pytest

from wscontrollers.groups.engines.engine import Connection, Engine, EngineState, History, Page, Position

from .conftest import MakeEngine
from .listening import connected, eventually

CHANNELS = [
    "g:room:tea",
    " ",
    "a b",
    "*",
    ">",
    ".",
    "a.b.*",
    "{",
    "}",
    "{}",
    "}{",
    "{a}b",
    "grüße 🎉",
    "\n",
    "%2e",
    "a/b\\c",
    "x" * 200,
    "ü" * 200,
]

KINDS = {
    "memory": "memory_engines",
    "valkey": "valkey_engines",
    "redis-6.2": "old_redis_engines",
    "cluster": "cluster_engines",
    "nats": "nats_engines",
}
"""The engines, by the fixture that makes them."""


@pytest.fixture(params=[("memory", "trio"), *((kind, "asyncio") for kind in KINDS)], ids=lambda each: "-".join(each))
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An engine, and the event loop that it runs in: the clients of Redis and NATS know asyncio only."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def anyio_backend(kind: tuple[str, str]) -> str:
    """The event loop of the engine."""
    return kind[1]


@pytest.fixture
def make_engine(kind: tuple[str, str], request: pytest.FixtureRequest) -> MakeEngine:
    """Makes engines that reach each other."""
    found: MakeEngine = request.getfixturevalue(KINDS[kind[0]])
    return found


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """An engine."""
    return make_engine()


def offsets(page: Page) -> list[int]:
    return [offset for offset, _ in page.entries]


# Publishing and hearing


@pytest.mark.parametrize("channel", CHANNELS, ids=ascii)
async def test_channel_names(engine: Engine, channel: str) -> None:
    """Any text of 1 to 200 characters names a channel, and no other one."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe(channel)
        for other in CHANNELS:
            if other != channel:
                await connection.publish(other, b"other", History())
        position = await connection.publish(channel, b"here", History())
        await heard.until(lambda: heard.arrivals)
        assert [(each.channel, each.data) for each in heard.arrivals] == [(channel, b"here")]
        assert await connection.read(channel) == Page([(position.offset, b"here")], position, True)


async def test_all_that_comes_behind_the_position_of_a_subscription_arrives(engine: Engine) -> None:
    """What is published before is not delivered, what comes after is, at once."""
    async with connected(engine) as (connection, heard):
        before = await connection.publish("tea", b"before")
        position = await connection.subscribe("tea")
        assert position == before
        after = [await connection.publish("tea", b"%d" % number) for number in range(3)]
        await heard.until(lambda: len(heard.of("tea", position)) == 3)
        assert [each.position for each in heard.of("tea", position)] == after
        assert heard.data("tea") == [b"0", b"1", b"2"]


async def test_an_empty_channel_is_at_offset_0(engine: Engine) -> None:
    """Who subscribes before the first message, misses nothing: it follows on 0, in the same epoch."""
    async with connected(engine) as (connection, heard):
        position = await connection.subscribe("tea")
        assert position.offset == 0
        assert position.epoch.isalnum()
        assert len(position.epoch) <= 32
        first = await connection.publish("tea", b"first")
        await heard.until(lambda: heard.arrivals)
        assert heard.arrivals[0].previous == 0
        assert heard.arrivals[0].position == first
        assert first.epoch == position.epoch


async def test_a_message_names_the_one_before_it(engine: Engine) -> None:
    """`previous` is the offset of the message before it in the channel, kept or not: whoever misses one knows it."""
    async with connected(engine) as (connection, heard):
        last = await connection.subscribe("tea")
        for number in range(20):
            await connection.publish("tea", b"%d" % number, History() if number % 3 else None)
            await connection.publish("milk", b"other")
        await heard.until(lambda: len(heard.arrivals) == 20)
        for arrival in heard.arrivals:
            assert arrival.previous == last.offset
            assert arrival.position.epoch == last.epoch
            assert arrival.position.offset > last.offset
            last = arrival.position


async def test_each_connection_hears_what_it_subscribed_to(make_engine: MakeEngine) -> None:
    """Connections of the same engine and of others reach each other, as those of other processes do."""
    async with connected(make_engine()) as ann, connected(make_engine()) as bob:
        await ann.connection.subscribe("tea")
        await bob.connection.subscribe("tea")
        await bob.connection.subscribe("milk")
        await ann.connection.publish("tea", b"1")
        await ann.connection.publish("milk", b"2")
        await bob.connection.publish("tea", b"3")
        await ann.heard.until(lambda: len(ann.heard.arrivals) == 2)
        await bob.heard.until(lambda: len(bob.heard.arrivals) == 3)
        assert ann.heard.arrivals == bob.heard.of("tea")
        assert ann.heard.data("tea") == [b"1", b"3"]
        assert bob.heard.data("milk") == [b"2"]


async def test_unsubscribe(engine: Engine) -> None:
    """Nothing arrives after it, it can be said twice, and a new subscription begins at its own position."""
    async with connected(engine) as (connection, heard):
        await connection.unsubscribe("never")
        await connection.subscribe("tea")
        await connection.subscribe("end")
        await connection.unsubscribe("tea")
        await connection.unsubscribe("tea")
        missed = await connection.publish("tea", b"missed")
        await connection.publish("end", b"end")
        await heard.until(lambda: heard.of("end"))
        assert heard.of("tea") == []
        assert await connection.subscribe("tea") == missed
        await connection.publish("tea", b"heard")
        await heard.until(lambda: heard.of("tea"))
        assert heard.data("tea") == [b"heard"]


async def test_a_second_subscription_of_a_connection_changes_nothing(engine: Engine) -> None:
    """Each message arrives once."""
    async with connected(engine) as (connection, heard):
        first = await connection.subscribe("tea")
        assert await connection.subscribe("tea") == first
        await connection.publish("tea", b"1")
        await connection.publish("tea", b"2")
        await heard.until(lambda: len(heard.arrivals) >= 2)
        assert heard.data("tea") == [b"1", b"2"]


async def test_two_publishers(make_engine: MakeEngine) -> None:
    """All hear the messages in one order, and those of each publisher in the order in which it sent them."""
    async with connected(make_engine()) as ann, connected(make_engine()) as bob, connected(make_engine()) as ear:
        position = await ear.connection.subscribe("tea")
        await ann.connection.subscribe("tea")

        async def publish(connection: Connection, name: bytes) -> None:
            for number in range(50):
                await connection.publish("tea", b"%s %d" % (name, number), History(200))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish, ann.connection, b"ann")
            tasks.start_soon(publish, bob.connection, b"bob")
        await ear.heard.until(lambda: len(ear.heard.arrivals) == 100)
        await ann.heard.until(lambda: len(ann.heard.arrivals) == 100)
        assert ear.heard.arrivals == ann.heard.arrivals
        page = await bob.connection.read("tea", position)
        assert page.is_complete
        assert [data for _, data in page.entries] == ear.heard.data("tea")
        for name in (b"ann", b"bob"):
            assert [data for data in ear.heard.data("tea") if data.startswith(name)] == [b"%s %d" % (name, n) for n in range(50)]


async def test_messages_that_are_published_at_once(engine: Engine) -> None:
    """Calls of many tasks at once get a place each, and none is lost."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe("tea")
        places: list[Position] = []

        async def publish(number: int) -> None:
            places.append(await connection.publish("tea", b"%d" % number))

        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(publish, number)
        await heard.until(lambda: len(heard.arrivals) == 100)
        assert sorted(places) == [each.position for each in heard.arrivals]
        assert sorted(heard.data("tea")) == sorted(b"%d" % number for number in range(100))


@pytest.mark.parametrize("data", [b"", b"\x00\xff\r\n\x00", bytes(range(256)) * 4096], ids=["empty", "binary", "1 MiB"])
async def test_data_is_any_bytes(engine: Engine, data: bytes) -> None:
    """What was published arrives, and is kept, byte by byte."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe("tea")
        position = await connection.publish("tea", data, History())
        await heard.until(lambda: heard.arrivals)
        assert heard.data("tea") == [data]
        assert (await connection.read("tea")).entries == [(position.offset, data)]
        await connection.put("space", "key", data[:1000])
        assert await connection.entries("space") == {"key": data[:1000]}


# What is kept


async def test_read_behind_a_position(engine: Engine) -> None:
    """What came behind it comes, the oldest first; it is complete if nothing is missing between."""
    async with connected(engine) as (connection, _):
        places = [await connection.publish("tea", b"%d" % number, History()) for number in range(5)]
        top = places[-1]
        everything = await connection.read("tea")
        assert everything == Page([(place.offset, b"%d" % number) for number, place in enumerate(places)], top, True)
        assert await connection.read("tea", places[2]) == Page(everything.entries[3:], top, True)
        assert await connection.read("tea", top) == Page([], top, True)
        assert await connection.read("tea", Position(top.epoch, 0)) == everything


async def test_read_with_a_limit(engine: Engine) -> None:
    """At most so many, the oldest ones; the rest is read behind the last of them."""
    async with connected(engine) as (connection, _):
        places = [await connection.publish("tea", b"%d" % number, History()) for number in range(5)]
        begin = Position(places[0].epoch, 0)
        page = await connection.read("tea", begin, 2)
        assert (offsets(page), page.top, page.is_complete) == ([each.offset for each in places[:2]], places[-1], True)
        page = await connection.read("tea", places[1], 2)
        assert (offsets(page), page.top, page.is_complete) == ([each.offset for each in places[2:4]], places[-1], True)
        assert offsets(await connection.read("tea", limit=1)) == [places[0].offset]


async def test_read_of_a_channel_that_nobody_published_to(engine: Engine) -> None:
    """It is empty, at offset 0."""
    async with connected(engine) as (connection, _):
        page = await connection.read("tea")
        assert (list(page.entries), page.top.offset, page.is_complete) == ([], 0, True)
        position = await connection.subscribe("tea")
        assert await connection.read("tea", position) == Page([], position, True)


async def test_read_behind_a_position_of_another_epoch(engine: Engine) -> None:
    """A position of another numbering, or one that was not reached yet, is not complete."""
    async with connected(engine) as (connection, _):
        top = await connection.publish("tea", b"1", History())
        for strange in (Position("other", top.offset), Position(top.epoch, top.offset + 1)):
            page = await connection.read("tea", strange)
            assert (list(page.entries), page.top, page.is_complete) == ([], top, False)


async def test_the_size_of_what_is_kept(engine: Engine) -> None:
    """The oldest give way, and whoever asks for them is told."""
    async with connected(engine) as (connection, _):
        places = [await connection.publish("tea", b"%d" % number, History(3)) for number in range(10)]
        kept = [each.offset for each in places[-3:]]
        assert offsets(await connection.read("tea")) == kept
        edge = await connection.read("tea", places[6])
        assert (offsets(edge), edge.is_complete) == (kept, True)
        trimmed = await connection.read("tea", places[5])
        assert not trimmed.is_complete
        assert trimmed.top == places[-1]


async def test_the_age_of_what_is_kept(engine: Engine) -> None:
    """A message is forgotten when its age is over; the channel's numbering goes on, and whoever asks for it is told."""
    async with connected(engine) as (connection, _):
        await connection.subscribe("tea")
        first = await connection.publish("tea", b"1", History(age=0.4))
        assert offsets(await connection.read("tea")) == [first.offset]
        begin = Position(first.epoch, 0)

        async def is_gone() -> bool:
            return not (await connection.read("tea", begin)).entries

        await eventually(is_gone)
        page = await connection.read("tea", begin)
        assert (page.top, page.is_complete) == (first, False)
        assert (await connection.read("tea", first)).is_complete
        second = await connection.publish("tea", b"2", History(age=0.4))
        assert second == Position(first.epoch, second.offset)
        assert second.offset > first.offset
        assert offsets(await connection.read("tea", first)) == [second.offset]


async def test_without_an_age_it_is_kept(engine: Engine) -> None:
    """An age of None is for ever."""
    async with connected(engine) as (connection, _):
        await connection.publish("tea", b"1", History(age=None))
        assert [data for _, data in (await connection.read("tea")).entries] == [b"1"]


async def test_messages_that_are_kept_and_others_in_one_channel(engine: Engine) -> None:
    """One numbering for both; behind a position it is complete only if all that came behind it was kept."""
    async with connected(engine) as (connection, _):
        first = await connection.publish("tea", b"1", History())
        plain = await connection.publish("tea", b"2")
        third = await connection.publish("tea", b"3", History())
        assert first.offset < plain.offset < third.offset
        everything = await connection.read("tea")
        assert everything == Page([(first.offset, b"1"), (third.offset, b"3")], third, True)
        assert not (await connection.read("tea", first)).is_complete
        assert not (await connection.read("tea", Position(first.epoch, 0), 1)).is_complete
        assert await connection.read("tea", plain) == Page([(third.offset, b"3")], third, True)
        last = await connection.publish("tea", b"4")
        assert not (await connection.read("tea", third)).is_complete
        assert await connection.read("tea", last) == Page([], last, True)


# Who is there


async def test_values_under_keys(make_engine: MakeEngine) -> None:
    """A space has keys with values; all connections see them, and a space is of no other's business."""
    async with connected(make_engine()) as (ann, _), connected(make_engine()) as (bob, _):
        assert await ann.entries("room a") == {}
        await ann.put("room a", "key > *.{}", b"1")
        await bob.put("room a", "other", b"2")
        await bob.put("room b", "other", b"3")
        await ann.put("room a", "other", b"4")
        assert await bob.entries("room a") == {"key > *.{}": b"1", "other": b"4"}
        assert await bob.remove("room a", "key > *.{}")
        assert not await ann.remove("room a", "key > *.{}")
        assert not await ann.remove("no room", "key")
        assert await ann.entries("room a") == {"other": b"4"}
        assert await ann.entries("room b") == {"other": b"3"}


@pytest.mark.parametrize("text", CHANNELS, ids=ascii)
async def test_spaces_and_keys_are_any_text(engine: Engine, text: str) -> None:
    """Like channels: any text of 1 to 200 characters."""
    async with connected(engine) as (connection, _):
        await connection.put(text, text, b"value")
        assert await connection.entries(text) == {text: b"value"}
        assert await connection.remove(text, text)
        assert await connection.entries(text) == {}


async def test_of_several_that_remove_a_key_one_is_told(make_engine: MakeEngine) -> None:
    """Exactly one of them is told that it was there, each time."""
    async with connected(make_engine()) as (ann, _), connected(make_engine()) as (bob, _):
        for number in range(10):
            told: list[bool] = []

            async def remove(connection: Connection, told: list[bool] = told) -> None:
                told.append(await connection.remove("space", "key"))

            await ann.put("space", "key", b"%d" % number)
            async with anyio.create_task_group() as tasks:
                for connection in (ann, bob, ann, bob):
                    tasks.start_soon(remove, connection)
            assert sorted(told) == [False, False, False, True]


async def test_a_process_is_alive_until_its_time_is_over(make_engine: MakeEngine) -> None:
    """It can be renewed, ended, or left to run out."""
    async with connected(make_engine()) as (ann, _), connected(make_engine()) as (bob, _):
        await ann.renew("node 1", 60)
        await bob.renew("node.>2", 60)
        assert await ann.alive() == await bob.alive() == {"node 1", "node.>2"}
        await bob.renew("node.>2", 0)
        assert await ann.alive() == {"node 1"}
        await ann.renew("node 3", 1)
        await ann.renew("node 4", 1)
        await ann.renew("node 4", 60)
        assert await bob.alive() == {"node 1", "node 3", "node 4"}

        async def is_over() -> bool:
            return await bob.alive() == {"node 1", "node 4"}

        await eventually(is_over)


# Its life


async def test_a_call_that_is_cancelled_leaves_the_connection_usable(engine: Engine) -> None:
    """Whatever is cancelled, and wherever it stands: what follows gets its own answers."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe("tea")
        calls = [
            partial(connection.subscribe, "tea"),
            partial(connection.subscribe, "milk"),
            partial(connection.publish, "tea", b"cancelled", History()),
            partial(connection.read, "tea"),
            partial(connection.put, "space", "key", b"cancelled"),
            partial(connection.entries, "space"),
            partial(connection.remove, "space", "key"),
            partial(connection.renew, "node", 60.0),
            partial(connection.alive),
            partial(connection.unsubscribe, "milk"),
        ]
        for pauses in range(4):
            for call in calls:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call)
                    for _ in range(pauses):
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()
                await connection.put("space", "mine", b"%d" % pauses)
                assert (await connection.entries("space"))["mine"] == b"%d" % pauses
        position = await connection.publish("tea", b"end")
        await heard.until(lambda: heard.data("tea")[-1:] == [b"end"])
        assert heard.arrivals[-1].position == position
        assert connection.state is EngineState.UP


async def test_an_engine_is_connected_to_many_times(engine: Engine) -> None:
    """One after the other, what is kept stays; a connection that ended hears nothing more."""
    async with connected(engine) as (connection, gone):
        await connection.subscribe("tea")
        first = await connection.publish("tea", b"1", History())
        await gone.until(lambda: gone.arrivals)
    async with connected(engine) as (connection, heard):
        assert await connection.read("tea") == Page([(first.offset, b"1")], first, True)
        assert await connection.subscribe("tea") == first
        await connection.publish("tea", b"2", History())
        await heard.until(lambda: heard.arrivals)
    assert gone.data("tea") == [b"1"]
    assert heard.data("tea") == [b"2"]


async def test_an_undisturbed_engine_is_up_and_says_nothing(engine: Engine) -> None:
    """States are told when they change."""
    async with connected(engine) as (connection, heard):
        await connection.subscribe("tea")
        await connection.publish("tea", b"1")
        await heard.until(lambda: heard.arrivals)
        assert connection.state is EngineState.UP
    assert heard.states == []
    assert heard.resumptions == []
