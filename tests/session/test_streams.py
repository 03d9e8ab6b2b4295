"""The flow of one stream."""

from __future__ import annotations

import anyio

from wscontrollers.session.streams import Stream


async def test_without_credit_it_flows() -> None:
    """Until the client's first credit nobody waits."""
    stream = Stream()
    for _ in range(100):
        await stream.turn()


async def test_with_credit_it_flows_exactly_as_credited() -> None:
    """Each item takes one credit; without any it waits, and credits add up."""
    stream, turns = Stream(), []

    async def flow() -> None:
        while True:
            await stream.turn()
            turns.append(1)

    async with anyio.create_task_group() as tasks:
        stream.grant(1)
        stream.grant(2)
        tasks.start_soon(flow)
        await anyio.wait_all_tasks_blocked()
        assert len(turns) == 3
        stream.grant(4)
        await anyio.wait_all_tasks_blocked()
        assert len(turns) == 7
        tasks.cancel_scope.cancel()
