"""Many calls at once, but not too many."""

from __future__ import annotations

from functools import partial

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.presence.batches import SIZE, all_of


@pytest.mark.parametrize("number", [0, 1, SIZE, 3 * SIZE + 1])
async def test_all_are_made(number: int) -> None:
    """Each once, and never more than a batch of them at a time."""
    made: list[int] = []
    under_way = most = 0

    async def call(which: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await anyio.lowlevel.checkpoint()
        under_way -= 1
        made.append(which)

    await all_of([partial(call, which) for which in range(number)])
    assert sorted(made) == list(range(number))
    assert most == min(number, SIZE)


@pytest.mark.parametrize("number", [1, 5])
async def test_a_failure_is_raised_as_it_is(number: int) -> None:
    """Not in a group of exceptions; those that were begun with it have ended."""
    ended: list[int] = []

    async def call(which: int) -> None:
        try:
            await anyio.lowlevel.checkpoint()
            if which == 0:
                raise EngineDownError("no answer")
            await anyio.lowlevel.checkpoint()
        finally:
            ended.append(which)

    with pytest.raises(EngineDownError, match="no answer"):
        await all_of([partial(call, which) for which in range(number)])
    assert sorted(ended) == list(range(number))
