"""Calls into an event loop from wherever they come."""

from __future__ import annotations

import threading

import anyio
import anyio.to_thread

from wscontrollers.groups.engines.posting import Post, poster


async def test_at_home_a_function_is_called_at_once() -> None:
    """Nothing can come between."""
    called: list[int] = []
    poster()(lambda: called.append(1))
    assert called == [1]


async def test_from_elsewhere_it_is_called_at_home() -> None:
    """In the thread of the event loop, in the order of the calls."""
    post, home = poster(), threading.get_ident()
    called: list[tuple[int, bool]] = []
    done = anyio.Event()

    def call(number: int) -> None:
        called.append((number, threading.get_ident() == home))
        if number == 2:
            done.set()

    def elsewhere() -> None:
        for number in range(3):
            post(lambda number=number: call(number))  # type: ignore[misc]

    await anyio.to_thread.run_sync(elsewhere)
    await done.wait()
    assert called == [(0, True), (1, True), (2, True)]


def test_a_loop_that_has_ended_runs_nothing(anyio_backend_name: str) -> None:
    """And nobody who still calls into it is harmed; he is told."""

    async def make() -> Post:
        post = poster()
        assert post(lambda: 1)
        assert await anyio.to_thread.run_sync(post, lambda: 1)
        return post

    post = anyio.run(make, backend=anyio_backend_name)
    assert not post(lambda: 1 / 0)
