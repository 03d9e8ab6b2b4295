"""What is kept of a channel, and whether it is all of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio
import pytest

from wscontrollers.groups.engines.engine import History, Page, Position
from wscontrollers.groups.engines.nats_history import page_of
from wscontrollers.groups.engines.nats_numbering import Past

from .listening import PATIENCE
from .nats_server import NatsServer
from .nats_wiring import Wired, wired


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


async def page(here: Wired, after: int | None = None, limit: int | None = None) -> Page:
    """A page of the channel "tea"."""
    place = None if after is None else Position(here.streams.numbering, after)
    return await page_of(here.wire, here.streams, "tea", place, limit)


def forget(here: Wired) -> None:
    """Know nothing of when messages came, as a process that has just begun."""
    here.streams.past = Past()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a server's clock."""
    begin = time.monotonic()
    while not await holds():
        assert time.monotonic() < begin + PATIENCE
        await anyio.sleep(0.05)


async def test_a_message_that_is_there_shows_that_none_behind_it_expired(nats_server: NatsServer) -> None:
    """Whoever has its place gets all that came, also from a process that has just begun."""
    async with wired(nats_server) as here:
        first = await here.publish("tea", b"1", History())
        second = await here.publish("tea", b"2", History())
        forget(here)
        assert await page(here, first) == Page([(second, b"2")], Position(here.streams.numbering, second), True)
        assert (await page(here, second)).is_complete


async def test_a_place_that_shows_nothing(nats_server: NatsServer) -> None:
    """A place that no message of the channel is at or before is complete only if it is young enough for none to have expired."""
    async with wired(nats_server) as here:
        place = await here.publish("milk", b"other", History())
        await here.streams.look(here.wire)
        only = await here.publish("tea", b"1", History())
        assert (await page(here, place)).is_complete
        forget(here)
        found = await page(here, place)
        assert (found.entries, found.is_complete) == ([(only, b"1")], False)
        here.streams.past.note(place + 1, here.streams.now() - 590)
        assert (await page(here, place)).is_complete
        forget(here)
        here.streams.past.note(place + 1, here.streams.now() - 610)
        assert not (await page(here, place)).is_complete


async def test_an_empty_channel_stands_where_the_stream_stands(nats_server: NatsServer) -> None:
    """Its first message comes behind that, so nothing is taken for it that was before."""
    async with wired(nats_server) as here:
        place = await here.publish("milk", b"other", History())
        found = await page(here)
        assert found == Page([], Position(here.streams.numbering, place), True)
        assert await page(here, place) == Page([], found.top, True)
        assert await here.publish("tea", b"1", History()) > found.top.offset


async def test_a_place_behind_the_last_message_of_the_channel(nats_server: NatsServer) -> None:
    """It is where the channel stood when others were published to: nothing is missing, and the page is at that place."""
    async with wired(nats_server) as here:
        await here.publish("tea", b"1", History())
        place = await here.publish("milk", b"other", History())
        assert await page(here, place) == Page([], Position(here.streams.numbering, place), True)


async def test_all_that_was_kept_has_expired(nats_server: NatsServer) -> None:
    """Then a place within it is not complete, though nothing that is there says so."""
    async with wired(nats_server) as here:
        first = await here.publish("tea", b"1", History(), Nats_TTL="1")
        await here.publish("tea", b"2", History(), Nats_TTL="1")

        async def is_gone() -> bool:
            return not (await page(here)).entries

        await until(is_gone)
        forget(here)
        assert not (await page(here, first)).is_complete
        last = await here.publish("tea", b"3", History())
        found = await page(here, first)
        assert (found.entries, found.is_complete) == ([(last, b"3")], False)


async def test_more_than_the_stream_keeps(nats_server: NatsServer) -> None:
    """Behind a place that gave way, with exactly as many behind it as are kept, it is complete; with one more it is not."""
    async with wired(nats_server) as here:
        places = [await here.publish("tea", b"%d" % number, History(100)) for number in range(150)]
        forget(here)
        edge = await page(here, places[49])
        assert (len(edge.entries), edge.is_complete) == (100, True)
        assert not (await page(here, places[48])).is_complete


async def test_many_messages_come_in_several_batches(nats_server: NatsServer) -> None:
    """A history of thousands is read as one page."""
    async with wired(nats_server) as here:
        await here.streams.make_room(here.wire, 3_000)
        places: list[int] = []

        async def publish(number: int) -> None:
            for _ in range(number):
                places.append(await here.publish("tea", b"x", History(3_000)))

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(publish, 50)
        found = await page(here)
        assert [offset for offset, _ in found.entries] == sorted(places)
        assert len(found.entries) == 2_500
