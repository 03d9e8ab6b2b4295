"""Reading: by the session's own task, or ahead of it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import deque
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from tests.session.connections import protocol as protocol
from wscontrollers.session.inlet import Inlet
from wscontrollers.session.loops import running_loop
from wscontrollers.session.reading import Frame, Reading


class Source:
    """ASGI's `receive`, fed by a test."""

    def __init__(self) -> None:
        self.send, self.receive = anyio.create_memory_object_stream[Frame](100)
        self.taken = 0

    async def next(self) -> Frame:
        event = await self.receive.receive()
        self.taken += 1
        return event

    def feed(self, *texts: str) -> None:
        for text in texts:
            self.send.send_nowait({"type": "websocket.receive", "text": text})

    def disconnect(self) -> None:
        self.send.send_nowait({"type": "websocket.disconnect"})

    def close(self) -> None:
        self.send.close()
        self.receive.close()


def arrived(frame: Frame) -> Any:
    """Everything is an item, but what says that it is dealt with."""
    return None if frame.get("text") == "dealt with" else frame.get("text", "gone")


@pytest.fixture
def source() -> Any:
    source = Source()
    yield source
    source.close()


def reading_of(source: Source, tasks: TaskGroup, ahead: int = 2) -> Reading:
    start: Any = tasks.start_soon
    return Reading(source.next, start, ahead=ahead, arrived=arrived)


async def test_who_waits_reads_by_itself(source: Source) -> None:
    """`next` reads until there is an item; what was dealt with on arrival is none."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        source.feed("dealt with", "a", "b")
        assert await reading.next() == "a"
        assert not reading.is_ahead
        assert source.taken == 2


async def test_a_task_may_receive_by_itself(source: Source) -> None:
    """Where receiving is all that there is to do, on asyncio; `stop` wakes it, and the task is not cancelled by that."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        reading.keep(deque(["kept"]))
        assert reading.parks() is None
        assert await reading.next() == "kept"
        task = reading.parks()
        if task is None:
            assert running_loop() is None
            return
        assert (reading.waiter, reading.epoch, reading.parks()) == (task, 2, None)
        tasks.start_soon(stop, reading)
        with pytest.raises(asyncio.CancelledError):
            await reading.receive()
        assert reading.took_wake_up(task)
        assert not reading.took_wake_up(task)
        assert task.cancelling() == 0
        reading.waiter = None
        assert reading.parks() is None
        assert await reading.next() is None


async def test_large_frames_fill_the_inbox_sooner(source: Source) -> None:
    """What is made of one can take a hundred times as much; when they are taken there is room again."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks, ahead=10)
        source.feed(*["a" * 60_000] * 5, "b")
        reading.read_ahead()
        await anyio.wait_all_tasks_blocked()
        assert (source.taken, reading.unread, reading.is_held) == (3, 3, True)
        await reading.next()
        await anyio.wait_all_tasks_blocked()
        assert (source.taken, reading.unread) == (4, 3)
        for _ in range(5):
            await reading.next()
        assert (source.taken, reading.unread) == (6, 0)
        reading.stop()
        source.disconnect()


async def test_a_peer_that_goes_on_behind_the_end_is_read_from_for_a_while(source: Source) -> None:
    """To see whether it leaves; it costs no more than that."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        reading.stop()
        for _ in range(3):
            source.feed(*["late"] * 90)
            reading.read_ahead()
            await anyio.wait_all_tasks_blocked()
        assert source.taken == 256
        assert not reading.is_ahead


async def stop(reading: Reading) -> None:
    reading.stop()


async def test_reading_ahead_stops_at_the_bound(source: Source) -> None:
    """A busy session's frames wait in a bounded inbox: no more are read than it holds, until one is taken."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks, ahead=2)
        source.feed(*"abcdef")
        reading.read_ahead()
        reading.read_ahead()
        await anyio.wait_all_tasks_blocked()
        assert source.taken == 2
        assert await reading.next() == "a"
        await anyio.wait_all_tasks_blocked()
        assert source.taken == 3
        assert [await reading.next() for _ in range(5)] == list("bcdef")
        tasks.cancel_scope.cancel()


async def test_a_full_inbox_is_read_on_where_the_peer_is_gone(source: Source) -> None:
    """Up to the departure, for nobody else can tell of it."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks, ahead=2)
        source.feed(*"abcdef")
        source.disconnect()
        reading.read_ahead()
        await anyio.wait_all_tasks_blocked()
        assert (source.taken, reading.is_held) == (2, True)
        reading.read_on()
        await anyio.wait_all_tasks_blocked()
        assert (source.taken, reading.is_held, reading.is_ahead) == (7, False, False)


async def test_beyond_a_full_inbox_bytes_are_counted(source: Source) -> None:
    """While somebody awaits a control frame: those of the frames that wait, each with 256 more; what is taken makes room."""
    told: list[int] = []
    async with anyio.create_task_group() as tasks:
        start: Any = tasks.start_soon
        reading = Reading(
            source.next, start, ahead=2, size=3 * 256 + 6, arrived=arrived, flooded=lambda: told.append(source.taken)
        )
        with reading.awaiting():
            source.feed("a", "b", "dealt with", "cc", "é", "dealt with", "dd")
            await anyio.wait_all_tasks_blocked()
            assert (source.taken, told) == (7, [])
            assert await reading.next() == "a"
            source.feed("ff")
            await anyio.wait_all_tasks_blocked()
            assert (source.taken, told) == (8, [])
            source.feed("g")
            await anyio.wait_all_tasks_blocked()
            assert told == [9]
        assert [await reading.next() for _ in range(6)] == ["b", "cc", "é", "dd", "ff", "g"]
        assert reading._inbox is not None
        assert reading._inbox._beyond_bytes == 0
        tasks.cancel_scope.cancel()


async def test_the_task_ends_when_the_session_waits_again(source: Source) -> None:
    """The task hands its frame over and ends; from there the session reads by itself."""
    got: list[Any] = []
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        reading.read_ahead()

        async def take() -> None:
            got.append(await reading.next())

        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        source.feed("a")
    assert got == ["a"]
    assert not reading.is_ahead


@pytest.mark.parametrize("is_ahead", [True, False])
async def test_stop_wakes_who_waits(source: Source, is_ahead: bool) -> None:
    """`stop` from another task: `next` returns None, now and from here on, and the waiting task is not cancelled."""
    got: list[Any] = []
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        if is_ahead:
            reading.read_ahead()

        async def take() -> None:
            got.append(await reading.next())
            await anyio.lowlevel.checkpoint()
            got.append("goes on")

        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        reading.stop()
        await anyio.wait_all_tasks_blocked()
        assert await reading.next() is None
        tasks.cancel_scope.cancel()
    assert got == [None, "goes on"]


async def test_a_cancellation_from_outside_is_no_stop(source: Source) -> None:
    """Who waits and is cancelled by its own scope is cancelled, also when the reading is stopped at the same moment."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        with anyio.CancelScope() as scope:

            async def both() -> None:
                scope.cancel()
                reading.stop()

            tasks.start_soon(both)
            await reading.next()
            await anyio.lowlevel.checkpoint()
            pytest.fail("the scope was cancelled")
        assert scope.cancelled_caught
        await anyio.lowlevel.checkpoint()


async def test_behind_a_stop_only_the_departure_counts(source: Source) -> None:
    """A stopped reading that reads ahead throws frames away, without a look at them, until the peer has left."""
    looked_at: list[Any] = []

    def looked(frame: Frame) -> Any:
        looked_at.append(frame["type"])
        return arrived(frame)

    async with anyio.create_task_group() as tasks:
        start: Any = tasks.start_soon
        reading = Reading(source.next, start, ahead=2, arrived=looked)
        reading.read_ahead()
        await anyio.wait_all_tasks_blocked()
        reading.stop()
        source.feed(*"abcdef")
        source.disconnect()
    assert source.taken == 7
    assert looked_at == ["websocket.disconnect"]
    assert not reading.is_ahead


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio chooses who runs next by lot
@pytest.mark.parametrize("parks", [False, True])
async def test_who_takes_what_is_there_lets_others_run(parks: bool) -> None:
    """Every 64th item does, though it is there already; a stop meanwhile ends it as at any other."""

    async def at_once() -> Frame:
        return {"type": "websocket.receive", "text": "a"}

    async with anyio.create_task_group() as tasks:
        start: Any = tasks.start_soon
        reading = Reading(at_once, start, ahead=2, arrived=arrived)
        tasks.start_soon(stop, reading)
        taken = 0
        while parks and reading.parks() is not None:
            reading.parked = reading.waiter = None
            taken += 1
        while await reading.next() is not None:
            taken += 1
        assert taken == 63


async def test_only_one_task_may_wait(source: Source) -> None:
    """A second one is told."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks)
        tasks.start_soon(reading.next)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="two tasks wait"):
            await reading.next()
        tasks.cancel_scope.cancel()


async def test_the_items_of_one_frame_take_one_place(source: Source) -> None:
    """They are handed over one by one, before what comes later; behind the end nothing is kept."""
    async with anyio.create_task_group() as tasks:
        reading = reading_of(source, tasks, ahead=2)
        source.feed("d", "e", "f", "g")
        reading.keep(deque("abc"))
        reading.read_ahead()
        await anyio.wait_all_tasks_blocked()
        assert source.taken == 1, "one more fits in"
        assert [await reading.next() for _ in range(3)] == ["a", "b", "c"]
        assert [await reading.next() for _ in range(4)] == ["d", "e", "f", "g"]
        reading.stop()
        late = deque("h")
        held = weakref.ref(late)
        reading.keep(late)
        del late
        gc.collect()
        assert held() is None
        source.disconnect()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("direct", [True, False])
async def test_a_known_server_is_passed_by(protocol: Any, direct: bool) -> None:
    """From the accept on, unless the application says no; behind the session there is ASGI's `receive` again."""
    async with anyio.create_task_group() as tasks:
        start: Any = tasks.start_soon
        reading = Reading(protocol.receive, start, ahead=2, arrived=arrived, direct=direct)
        await reading.receive()
        reading.go_direct()
        reading.go_direct()
        assert isinstance(protocol.queue, Inlet) is direct
        protocol.data_received(b"\x81\x81\0\0\0\0a")
        assert await reading.next() == "a"
        assert reading.release() == protocol.receive
        assert reading.release() == protocol.receive


async def test_another_server_is_received_from_as_ever(source: Source) -> None:
    """A middleware's `receive`, or that of a test, stays what it is."""
    reading = Reading(source.next, lambda run: None, ahead=2, arrived=arrived, direct=True)
    reading.go_direct()
    source.feed("a")
    assert await reading.next() == "a"
    assert reading.release() == source.next
