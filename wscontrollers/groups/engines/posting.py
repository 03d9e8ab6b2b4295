"""Calls into an event loop from wherever they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def poster() -> Callable[[Callable[[], Any]], None]:
    """What runs a function in the event loop of the caller: at once when called there, else as soon as that loop gets to it.

    A loop that has ended runs nothing any more.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _trio_poster()

    def post(function: Callable[[], Any]) -> None:
        try:
            is_here = asyncio.get_running_loop() is loop
        except RuntimeError:
            is_here = False
        if is_here:
            function()
        else:
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(function)

    return post


def _trio_poster() -> Callable[[Callable[[], Any]], None]:
    import trio

    token = trio.lowlevel.current_trio_token()

    def post(function: Callable[[], Any]) -> None:
        try:
            is_here = trio.lowlevel.current_trio_token() is token
        except RuntimeError:
            is_here = False
        if is_here:
            function()
        else:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(function)

    return post
