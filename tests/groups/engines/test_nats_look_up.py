"""Looking up several messages with one request."""

from __future__ import annotations

import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.engine import History
from wscontrollers.groups.engines.nats_answers import NobodyError
from wscontrollers.groups.engines.nats_look_up import messages_of, offset_of, tops_of

from .nats_server import NatsServer
from .nats_wiring import wired


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


async def test_where_many_channels_stand(nats_server: NatsServer) -> None:
    """The last message of each kind, and for a channel without any where the whole stream stands."""
    async with wired(nats_server) as here:
        both = [f"both {number}" for number in range(100)]
        for channel in both:
            await here.publish(channel, b"1", History())
            await here.publish(channel, b"2")
        kept = await here.publish("kept.*", b"3", History())
        plain = await here.publish("plain >", b"4")
        tops = await tops_of(here.wire, here.streams, [*both, "kept.*", "plain >", "empty"])
        assert [tops[channel].offset for channel in both] == [2 * number + 2 for number in range(100)]
        assert (tops["kept.*"].offset, tops["kept.*"].plain) == (kept, -1)
        assert (tops["plain >"].offset, tops["plain >"].kept) == (plain, None)
        assert (tops["empty"].offset, tops["empty"].kept, tops["empty"].plain) == (plain, None, -1)


async def test_a_stream_that_was_purged(nats_server: NatsServer) -> None:
    """It goes on where it stood: its numbering is the same, and its channels are empty."""
    async with wired(nats_server) as here:
        place = await here.publish("tea", b"1", History())
        await here.request("STREAM.PURGE")
        assert (await tops_of(here.wire, here.streams, ["tea"]))["tea"].offset > place
        assert await here.streams.look(here.wire)


async def test_last_messages_that_are_more_than_the_server_sends_at_once(nats_server: NatsServer) -> None:
    """It stops at 8 MiB; the rest is asked for."""
    async with wired(nats_server, timeout=10) as here:
        places = {f"big {number}": await here.publish(f"big {number}", bytes(8 << 20), History()) for number in range(10)}
        tops = await tops_of(here.wire, here.streams, [*places])
        assert {channel: top.offset for channel, top in tops.items()} == places


async def test_a_stream_that_is_not_there(nats_server: NatsServer) -> None:
    """Nobody answers for it, which is not the same as a stream with nothing in it."""
    async with wired(nats_server) as (wire, streams):
        assert [each async for each in messages_of(wire, streams, streams.subjects.messages, "none")] == []
        await streams.ask(wire, f"STREAM.DELETE.{streams.subjects.messages}", {})
        with pytest.raises(NobodyError):
            await tops_of(wire, streams, ["tea"])


async def test_a_request_that_the_server_refuses(nats_server: NatsServer) -> None:
    """Its status is told."""
    async with wired(nats_server) as here:
        for number in range(1_100):
            await here.publish(f"c{number}", b"")
        with pytest.raises(EngineDownError, match="413"):
            await tops_of(here.wire, here.streams, [f"c{number}" for number in range(1_100)])


async def test_messages_from_a_number_on(nats_server: NatsServer) -> None:
    """The oldest first, of one subject or of several."""
    async with wired(nats_server) as here:
        places = [await here.publish(channel, b"x", History()) for channel in ("a", "b", "a", "b")]
        subjects, numbering = here.streams.subjects, here.streams.numbering
        found = [each async for each in messages_of(here.wire, here.streams, subjects.messages, f"wsc.m.{numbering}.k.*")]
        assert found == []
        pattern = subjects.message(numbering, "k", "a")[:-1] + "*"
        found = [each async for each in messages_of(here.wire, here.streams, subjects.messages, pattern, places[1] + 1)]
        assert [offset_of(each) for each in found] == places[1:]
