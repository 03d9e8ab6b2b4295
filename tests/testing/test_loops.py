from __future__ import annotations

import threading

import anyio
import anyio.to_thread

from wscontrollers.testing.loops import abandoned, scheduler


async def test_what_is_scheduled_from_a_thread_runs_in_the_loop_in_order() -> None:
    """The scheduler keeps the order, and the calls run in the loop's thread."""
    soon, done = scheduler(), anyio.Event()
    calls: list[tuple[int, int]] = []

    def schedule() -> None:
        for number in range(3):
            soon(lambda number=number: calls.append((number, threading.get_ident())))
        soon(done.set)

    await anyio.to_thread.run_sync(schedule)
    await done.wait()

    assert calls == [(number, threading.get_ident()) for number in range(3)]


def test_abandoned_says_whether_it_ended() -> None:
    """Who never ends is left to itself, without keeping the process alive."""
    let_go = threading.Event()

    assert abandoned(lambda: None, within=5)
    assert not abandoned(let_go.wait)
    let_go.set()
