"""What waits for the test, and what waits because the test does not read."""

from __future__ import annotations

import anyio
import pytest

from wscontrollers.testing.arrivals import HIGH_WATER_MARK, Arrivals

pytestmark = pytest.mark.anyio


async def test_frames_come_in_their_order() -> None:
    """First in, first out; `waiting` takes nothing, `take` takes one from the middle."""
    arrivals = Arrivals()
    a, b, c = ({"type": "websocket.send", "text": text} for text in "abc")
    for message in (a, b, c):
        arrivals.put(message)
    assert arrivals.waiting() == [a, b, c]
    arrivals.take(b)
    arrivals.take(b)
    assert [await arrivals.next(), await arrivals.next()] == [a, c]


async def test_a_paused_peer_sees_nothing_until_it_reads_on() -> None:
    """What comes meanwhile is counted in bytes, and arrives in order."""
    arrivals = Arrivals()
    arrivals.pause()
    arrivals.put({"type": "websocket.send", "text": "ü"})
    arrivals.put({"type": "websocket.send", "bytes": b"12"})
    arrivals.put({"type": "websocket.close", "code": 1000})
    assert (arrivals.waiting(), arrivals.held_bytes) == ([], 4)
    arrivals.resume()
    assert (len(arrivals.waiting()), arrivals.held_bytes) == (3, 0)


async def test_beyond_the_high_water_mark_it_is_full() -> None:
    """One byte more than the mark, as for asyncio's transports; reading on makes room."""
    arrivals = Arrivals()
    arrivals.pause()
    arrivals.put({"type": "websocket.send", "bytes": b"x" * HIGH_WATER_MARK})
    assert not arrivals.is_full
    arrivals.put({"type": "websocket.send", "bytes": b"x"})
    assert arrivals.is_full

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(arrivals.room)
        await anyio.wait_all_tasks_blocked()
        arrivals.resume()
    assert not arrivals.is_full
