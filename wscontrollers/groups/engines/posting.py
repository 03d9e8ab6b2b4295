"""Calls into an event loop from wherever they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Post = Callable[[Callable[[], Any]], bool]
"""Runs a function in the event loop that it was made in; False if that has ended, and runs nothing any more."""


def poster() -> Post:
    """What runs a function in the event loop of the caller: at once when called there, else as soon as that loop gets to it."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _trio_poster()

    def post(function: Callable[[], Any]) -> bool:
        try:
            is_here = asyncio.get_running_loop() is loop
        except RuntimeError:
            is_here = False
        if is_here:
            function()
            return True
        try:
            loop.call_soon_threadsafe(function)
        except RuntimeError:  # it is closed
            return False
        return True

    return post


def _trio_poster() -> Post:
    import trio

    token = trio.lowlevel.current_trio_token()

    def post(function: Callable[[], Any]) -> bool:
        try:
            is_here = trio.lowlevel.current_trio_token() is token
        except RuntimeError:
            is_here = False
        if is_here:
            function()
            return True
        try:
            token.run_sync_soon(function)
        except trio.RunFinishedError:
            return False
        return True

    return post
