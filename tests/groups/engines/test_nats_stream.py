"""The streams of a prefix."""

from __future__ import annotations

import asyncio
from secrets import token_hex

import pytest

from wscontrollers.exceptions import EngineError
from wscontrollers.groups.engines.engine import History
from wscontrollers.groups.engines.nats_answers import NobodyError, answer_of
from wscontrollers.groups.engines.nats_numbering import seconds_of
from wscontrollers.groups.engines.nats_stream import Kept

from .nats_server import NatsServer
from .nats_wiring import Wired, streams, wired


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


@pytest.mark.parametrize("history", [History(), History(3, 0.25), History(10_000, None)])
def test_what_headers_say_is_read_again(history: History) -> None:
    """A message carries how much of its channel is kept."""
    assert Kept.read(Kept.of(history).headers()["Wsc"]) == Kept.of(history)


@pytest.mark.parametrize(("age", "stays"), [(0.1, 600), (300.0, 602), (3600.0, 7202), (None, None)])
def test_how_long_a_message_stays(age: float | None, stays: int | None) -> None:
    """Twice its age, ten minutes at least; without an age it stays."""
    assert Kept.of(History(age=age)).stays == stays


async def test_streams_are_made_once(nats_server: NatsServer) -> None:
    """Whoever comes first makes them; all use the same numbering, also those that come at once."""
    async with wired(nats_server) as first:
        others = [streams(first.streams.subjects.messages.removesuffix("_messages")) for _ in range(3)]
        assert all(await asyncio.gather(*(each.ensure(first.wire) for each in others)))
        assert {each.numbering for each in others} == {first.streams.numbering}
        assert not await first.streams.ensure(first.wire)
        prefix = token_hex(4)
        fresh = [streams(prefix) for _ in range(8)]
        await asyncio.gather(*(each.ensure(first.wire) for each in fresh))
        assert len({each.numbering for each in fresh}) == 1


async def test_a_stream_that_is_gone_begins_another_numbering(nats_server: NatsServer) -> None:
    """It is noticed, and made anew; nothing can be published to the old numbering any more."""
    async with wired(nats_server) as here:
        old = here.streams.numbering
        assert await here.streams.look(here.wire)
        await here.request("STREAM.DELETE")
        assert not await here.streams.look(here.wire)
        with pytest.raises(NobodyError):
            await here.publish("tea", b"lost")
        assert await here.streams.ensure(here.wire)
        assert here.streams.numbering != old
        assert await here.streams.look(here.wire)
        assert await here.publish("tea", b"first") == 1


async def test_a_stream_that_counts_from_the_beginning_begins_another_numbering(nats_server: NatsServer) -> None:
    """A server of a cluster that lost a stream's messages keeps its name: numbers would be given twice."""
    async with wired(nats_server) as here:
        old = here.streams.numbering
        await here.publish("tea", b"1")
        here.streams.reached(1_000)
        assert not await here.streams.look(here.wire)
        assert await here.streams.ensure(here.wire)
        assert here.streams.numbering != old
        assert await here.streams.look(here.wire)
        with pytest.raises(NobodyError):
            answer_of(await here.wire.request(here.streams.subjects.message(old, "k", "tea"), b"lost"))


async def test_a_busy_stream_is_not_taken_for_another_one(nats_server: NatsServer) -> None:
    """What is published while the server answers a look at the stream may be known before the answer comes."""
    async with wired(nats_server) as here:
        looks: list[bool] = []

        async def publish() -> None:
            while len(looks) < 200:
                here.streams.reached(await here.publish("tea", b"x") + 1)

        publishing = [asyncio.ensure_future(publish()) for _ in range(10)]
        while len(looks) < 200:
            looks.append(await here.streams.look(here.wire))
        await asyncio.gather(*publishing)
        assert all(looks)


async def test_room_for_a_larger_history(nats_server: NatsServer) -> None:
    """The stream keeps as much of each channel as the largest history needs, and the one before."""
    async with wired(nats_server) as here:
        for size, room in ((100, 101), (3, 101), (250, 251), (200, 251)):
            await here.streams.make_room(here.wire, size)
            info = await here.request("STREAM.INFO")
            assert info["config"]["max_msgs_per_subject"] == room


async def test_a_channel_with_a_smaller_history_is_trimmed(nats_server: NatsServer) -> None:
    """What one publisher leaves there is bounded by its own history, not by the largest."""
    async with wired(nats_server) as here:
        await here.streams.make_room(here.wire, 1_000)
        most = 0
        for _ in range(150):
            await here.publish("tea", b"x", History(3))
            await here.streams.trim(here.wire, "tea", 3)
            most = max(most, await kept(here))
        assert 4 <= await kept(here) <= most <= 54


async def kept(here: Wired) -> int:
    """How many messages a stream has, but for the first."""
    info = await here.request("STREAM.INFO")
    return int(info["state"]["messages"]) - 1


async def test_a_stream_that_was_made_in_another_way(nats_server: NatsServer) -> None:
    """It cannot be used as if it were as asked: an error says what to do."""
    async with wired(nats_server) as here:
        other = streams(here.streams.subjects.messages.removesuffix("_messages"), "file")
        with pytest.raises(EngineError, match=r"storage='memory'.*not with storage='file'.*Fix: "):
            await other.ensure(here.wire)


async def test_the_servers_time_is_known(nats_server: NatsServer) -> None:
    """As far as an answer takes."""
    async with wired(nats_server) as here:
        info = await here.request("STREAM.INFO")
        assert abs(here.streams.now() - seconds_of(info["ts"])) < 0.5
