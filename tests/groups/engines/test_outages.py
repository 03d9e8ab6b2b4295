"""What engines do when their server goes away, freezes, or comes back with less than it had."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.engine import Connection, EngineState, History, Position

from .cable import Cable
from .ledger import Ledger
from .listening import Opened, connected, eventually
from .servers import Server, Shaky

TIMEOUT = 0.5
"""Seconds that the engines of these tests wait."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients of Redis and NATS know asyncio only."""
    return "asyncio"


@asynccontextmanager
async def over_a_cable(shaky: Shaky, **options: object) -> AsyncIterator[tuple[Opened, Cable]]:
    """A connection over a cable of its own."""
    async with (
        Cable(shaky.server.port) as cable,
        connected(shaky.make(cable.port, timeout=TIMEOUT, **options)) as opened,
    ):
        yield opened, cable


async def restarted(server: Server) -> None:
    """End a server as a power cut does, and start it again."""
    await anyio.to_thread.run_sync(server.kill)
    await anyio.to_thread.run_sync(server.start)


async def raises_in_time(call: Callable[[], object]) -> None:
    """A call raises that the engine is down, within the time-out."""
    begin = time.monotonic()
    with pytest.raises(EngineDownError, match=r"Fix: "):
        await call()  # type: ignore[misc]
    assert time.monotonic() - begin < TIMEOUT + 0.3


async def test_a_server_is_killed_and_comes_back_without_its_data(shaky: Shaky) -> None:
    """Down, then up; each subscription is there again, in another epoch: a place of the old one is known as lost."""
    async with connected(shaky.make(timeout=TIMEOUT)) as (connection, heard):
        tea = await connection.subscribe("tea")
        await connection.subscribe("milk")
        old = await connection.publish("tea", b"before", History())
        await heard.until(lambda: heard.arrivals)
        await restarted(shaky.server)
        await heard.until(lambda: len(heard.resumptions) == 2)
        await heard.until_state(EngineState.UP)
        assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
        places = dict(heard.resumptions)
        assert places.keys() == {"tea", "milk"}
        assert places["tea"].epoch != tea.epoch
        assert not (await connection.read("tea", old)).is_complete
        new = await connection.publish("tea", b"after")
        await heard.until(lambda: heard.data("tea")[-1:] == [b"after"])
        assert heard.arrivals[-1].position == new
        assert heard.arrivals[-1].previous == places["tea"].offset


async def test_calls_while_the_server_is_away_raise_in_time(shaky: Shaky) -> None:
    """None of them hangs, none pretends; unsubscribing is no trouble, and closing neither."""
    async with connected(shaky.make(timeout=TIMEOUT)) as (connection, heard):
        await connection.subscribe("tea")
        await anyio.to_thread.run_sync(shaky.server.kill)
        await heard.until_state(EngineState.DOWN)
        assert connection.state is EngineState.DOWN
        for _ in range(2):
            await raises_in_time(lambda: connection.publish("tea", b"lost", History()))
            await raises_in_time(lambda: connection.subscribe("milk"))
            await raises_in_time(lambda: connection.read("tea"))
            await raises_in_time(lambda: connection.put("space", "key", b"value"))
            await raises_in_time(lambda: connection.remove("space", "key"))
            await raises_in_time(lambda: connection.entries("space"))
            await raises_in_time(lambda: connection.renew("node", 10))
            await raises_in_time(connection.alive)
        await connection.unsubscribe("tea")
        begin = time.monotonic()
    assert time.monotonic() - begin < TIMEOUT + 0.3
    assert [state for state, _ in heard.states] == [EngineState.DOWN]


async def test_what_is_subscribed_while_the_server_is_away(shaky: Shaky) -> None:
    """It is noted, and done when the server is back; what was unsubscribed stays so."""
    async with connected(shaky.make(timeout=TIMEOUT)) as (connection, heard):
        await connection.subscribe("tea")
        await anyio.to_thread.run_sync(shaky.server.kill)
        await heard.until_state(EngineState.DOWN)
        with pytest.raises(EngineDownError):
            await connection.subscribe("milk")
        await connection.unsubscribe("tea")
        await anyio.to_thread.run_sync(shaky.server.start)
        await heard.until(lambda: heard.resumptions)
        await heard.until_state(EngineState.UP)
        assert [channel for channel, _ in heard.resumptions] == ["milk"]
        await connection.publish("tea", b"unheard")
        await connection.publish("milk", b"heard")
        await heard.until(lambda: heard.arrivals)
        assert [arrival.data for arrival in heard.arrivals] == [b"heard"]


async def test_a_cable_is_cut_for_a_while(shaky: Shaky) -> None:
    """The position at which a subscription goes on tells what was missed meanwhile, and what was kept is fetched, all of it."""
    async with over_a_cable(shaky) as ((ann, heard), cable), connected(shaky.make(timeout=TIMEOUT)) as (bob, _):
        await ann.subscribe("tea")
        last = await bob.publish("tea", b"0", History())
        await heard.until(lambda: heard.arrivals)
        await cable.cut()
        await heard.until_state(EngineState.DOWN)
        missed = [await bob.publish("tea", b"%d" % number, History()) for number in range(1, 4)]
        await cable.mend()
        await heard.until(lambda: heard.resumptions)
        await heard.until_state(EngineState.UP)
        assert heard.resumptions == [("tea", missed[-1])]
        page = await ann.read("tea", last)
        assert page.is_complete
        assert page.entries == [(place.offset, b"%d" % number) for number, place in enumerate(missed, 1)]
        after = await bob.publish("tea", b"4", History())
        await heard.until(lambda: len(heard.arrivals) == 2)
        assert heard.arrivals[-1].position == after
        assert heard.arrivals[-1].previous == missed[-1].offset


async def test_a_cable_snaps_under_calls(shaky: Shaky) -> None:
    """Many times, with calls on their way: each call returns or raises, and the messages that are heard are in order."""
    async with over_a_cable(shaky) as ((ann, heard), cable):
        await ann.subscribe("tea")
        results: list[object] = []

        async def publish() -> None:
            for number in range(100):
                try:
                    results.append(await ann.publish("tea", b"%d" % number, History()))
                except EngineDownError as error:
                    results.append(error)
                await anyio.lowlevel.checkpoint()

        async def done(count: int) -> bool:
            return len(results) >= count

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish)
            for count in (10, 20, 30):
                await eventually(lambda count=count: done(count))
                await cable.snap()
        assert len(results) == 100
        await heard.until_state(EngineState.UP)
        end = await ann.publish("tea", b"end", History())
        await heard.until(lambda: heard.arrivals and heard.arrivals[-1].position == end)
        offsets = [arrival.position.offset for arrival in heard.arrivals]
        assert offsets == sorted(set(offsets))


async def test_a_server_freezes_and_goes_on(shaky: Shaky) -> None:
    """Calls raise in time, the state is down, and when it goes on everything is there again."""
    async with connected(shaky.make(timeout=TIMEOUT)) as (connection, heard):
        await connection.subscribe("tea")
        shaky.server.pause()
        try:
            await raises_in_time(lambda: connection.publish("tea", b"who knows"))
            await heard.until_state(EngineState.DOWN)
            await raises_in_time(lambda: connection.read("tea"))
        finally:
            shaky.server.go_on()
        await heard.until_state(EngineState.UP)
        await heard.until(lambda: heard.resumptions)
        place = await connection.publish("tea", b"heard")
        await heard.until(lambda: heard.arrivals and heard.arrivals[-1].position == place)


async def test_a_connection_that_says_nothing_any_more(shaky: Shaky) -> None:
    """It is noticed within some time-outs, though nobody asks for anything, and made anew."""
    async with over_a_cable(shaky) as ((connection, heard), cable):
        await connection.subscribe("tea")
        cable.freeze()
        await heard.until_state(EngineState.DOWN, TIMEOUT * 6)
        await cable.snap()
        await heard.until_state(EngineState.UP)
        await connection.publish("tea", b"heard")
        await heard.until(lambda: heard.arrivals)


async def test_a_server_that_is_required_is_not_there(shaky: Shaky) -> None:
    """Entering raises what and where, and how to mend it; and says no password."""
    shaky.server.kill()
    with pytest.raises(EngineDownError, match=rf"{shaky.server.port}.*Fix: ") as raised:
        async with connected(shaky.make(timeout=TIMEOUT)):
            pass
    assert "secret" not in str(raised.value)


async def test_a_server_that_is_not_required_comes_later(shaky: Shaky) -> None:
    """The engine begins down, and is up by itself when the server is there."""
    await anyio.to_thread.run_sync(shaky.server.kill)
    async with connected(shaky.make(timeout=TIMEOUT, required=False)) as (connection, heard):
        assert connection.state is EngineState.DOWN
        with pytest.raises(EngineDownError):
            await connection.subscribe("tea")
        await anyio.to_thread.run_sync(shaky.server.start)
        await heard.until_state(EngineState.UP)
        await heard.until(lambda: heard.resumptions)
        await connection.publish("tea", b"heard")
        await heard.until(lambda: heard.arrivals)
    assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found: set[str] = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the open sockets of a process are read from /proc")
@pytest.mark.parametrize("harm", ["none", "kill", "pause", "cancel"])
async def test_nothing_is_left(shaky: Shaky, harm: str, caplog: pytest.LogCaptureFixture) -> None:
    """After the context there is no task, no socket and no log line of it, whatever the server did."""
    caplog.set_level(logging.INFO)
    tasks, open_sockets = asyncio.all_tasks(), sockets()
    with anyio.CancelScope() as scope:
        async with connected(shaky.make(timeout=TIMEOUT)) as (connection, heard):
            await connection.subscribe("tea")
            await connection.publish("tea", b"1")
            if harm == "cancel":
                scope.cancel()
                await anyio.sleep_forever()
            if harm == "kill":
                await anyio.to_thread.run_sync(shaky.server.kill)
                await heard.until_state(EngineState.DOWN)
            if harm == "pause":
                shaky.server.pause()
                with pytest.raises(EngineDownError):
                    await connection.publish("tea", bytes(8 << 20))
                await heard.until_state(EngineState.DOWN)
    if harm == "pause":
        shaky.server.go_on()
    await anyio.lowlevel.checkpoint()  # a transport that was aborted closes its socket in the next turn
    assert asyncio.all_tasks() == tasks
    assert sockets() == open_sockets
    gc.collect()
    assert [f"{record.name}: {record.getMessage()}" for record in caplog.records] == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_missed_without_knowing(shaky: Shaky, seed: int) -> None:
    """Two publish, one listens, and all that can break breaks: each message that was taken is heard once and in order, or known
    as missed, and none is heard that nobody sent."""
    chance = random.Random(seed)  # noqa: S311
    sent: dict[bytes, Position | None] = {}
    is_over = False
    ledger = Ledger()

    async def publish(connection: Connection, name: str) -> None:
        number = 0
        while not is_over:
            data = f"{name} {number}".encode() + bytes(0 if number % 4 else 2000)  # long ones are stored otherwise
            sent[data] = None
            with suppress(EngineDownError):
                sent[data] = await connection.publish("tea", data, History(50) if number % 3 else None)
            number += 1
            await anyio.sleep(0.001)

    async def heal() -> bool:
        if ledger.state is EngineState.UP:
            with suppress(EngineDownError):
                end = await ann.publish("tea", b"end")
                sent[b"end"] = end
                with anyio.move_on_after(0.2):
                    while end not in ledger.heard:  # noqa: ASYNC110
                        await anyio.sleep(0.005)
                return end in ledger.heard
        return False

    async with (
        Cable(shaky.server.port) as cable,
        shaky.make(cable.port, timeout=TIMEOUT).connect(ledger) as ear,
        connected(shaky.make(timeout=TIMEOUT)) as (ann, _),
        connected(shaky.make(timeout=TIMEOUT)) as (bob, _),
    ):
        ledger.begin(await ear.subscribe("tea"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish, ann, "ann")
            tasks.start_soon(publish, bob, "bob")
            for harm in chance.choices(["snap", "cut", "restart"], [6, 2, 1], k=8):
                await anyio.sleep(chance.uniform(0.02, 0.15))
                if harm == "restart":
                    await restarted(shaky.server)
                elif harm == "cut":
                    await cable.cut()
                    await anyio.sleep(chance.uniform(0.01, 0.1))
                    await cable.mend()
                else:
                    await cable.snap()
            is_over = True
        await eventually(heal)

    assert ledger.faults == []
    assert [data for data, place in sent.items() if place is not None and not ledger.knows(place)] == []
    assert [data for data in ledger.heard.values() if data not in sent] == []
    assert [place for place, data in ledger.heard.items() if sent[data] not in (None, place) and data != b"end"] == []
    assert len(ledger.heard) > 20
