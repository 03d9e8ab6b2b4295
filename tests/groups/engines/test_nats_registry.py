"""Values under keys, and who is alive, in a stream."""

from __future__ import annotations

import asyncio

import pytest

from wscontrollers.groups.engines import nats_registry as registry

from .nats_server import NatsServer
from .nats_wiring import wired


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


async def test_a_space_of_thousands(nats_server: NatsServer) -> None:
    """All keys of a space come, though the server answers a thousand at a time; removed ones leave nothing behind."""
    async with wired(nats_server) as (wire, streams):
        subjects = streams.subjects
        keys = [f"key {number}" for number in range(2_500)]
        for first in range(0, len(keys), 500):
            some = keys[first : first + 500]
            await asyncio.gather(*(registry.put(wire, subjects.value("room", key), key.encode()) for key in some))
        assert await registry.values(wire, streams, subjects.space("room")) == {key: key.encode() for key in keys}
        assert await registry.remove(wire, streams, subjects.value("room", keys[7]))
        info = await streams.ask(wire, f"STREAM.INFO.{subjects.registry}", {})
        assert info["state"]["messages"] == 2_499


async def test_a_value_that_changes_while_it_is_removed(nats_server: NatsServer) -> None:
    """Removing goes on until there is none: each value that is removed was told once."""
    async with wired(nats_server) as (wire, streams):
        subject = streams.subjects.value("room", "key")
        for _ in range(20):
            await registry.put(wire, subject, b"1")
            told = await asyncio.gather(
                registry.remove(wire, streams, subject),
                registry.put(wire, subject, b"2"),
                registry.remove(wire, streams, subject),
            )
            left = await registry.values(wire, streams, streams.subjects.space("room"))
            assert [told[0], told[2], bool(left)].count(True) in (1, 2)
            await registry.remove(wire, streams, subject)


async def test_who_is_alive_goes_by_the_servers_clock(nats_server: NatsServer) -> None:
    """Parts of a second count, and a process that ended is forgotten at once."""
    async with wired(nats_server) as (wire, streams):
        await registry.renew(wire, streams, "short", 0.05)
        await registry.renew(wire, streams, "long", 60)
        assert await registry.alive(wire, streams) == {"short", "long"}
        async with asyncio.timeout(5):
            while await registry.alive(wire, streams) != {"long"}:
                pass
        await registry.renew(wire, streams, "long", 0)
        await registry.renew(wire, streams, "never", 0)
        assert await registry.alive(wire, streams) == frozenset()
