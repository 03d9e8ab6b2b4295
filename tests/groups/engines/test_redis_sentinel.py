"""Groups over a service that a Sentinel watches over."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.engine import EngineState, History
from wscontrollers.groups.engines.redis import RedisEngine

from .listening import connected, eventually
from .servers import SentinelPair, free_port, valkey_binary


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelPair]:
    """A master with a replica, and a Sentinel; the last test of this file ends the master."""
    found = SentinelPair(valkey_binary(), tmp_path_factory.mktemp("sentinel"))
    try:
        found.start()
        yield found
    finally:
        found.kill()


async def test_a_service_that_the_sentinel_does_not_know(pair: SentinelPair) -> None:
    """The error names it."""
    url = pair.url.replace(f"/{pair.service}", "/other")
    with pytest.raises(EngineDownError, match=r"'other'.*Fix: "):
        async with connected(RedisEngine(url, timeout=1.0)):
            pass


async def test_a_sentinel_that_is_not_there() -> None:
    """The error says that, and nothing of redis-py's own."""
    with pytest.raises(
        EngineDownError, match=r"redis service 'tea': it is not there: no Sentinel knows a master\. Fix: "
    ) as raised:
        async with connected(RedisEngine(f"redis+sentinel://:secret@127.0.0.1:{free_port()}/tea", timeout=1.0)):
            pass
    assert "secret" not in str(raised.value)
    assert "<" not in str(raised.value)


async def test_the_master_is_killed_and_the_replica_takes_over(pair: SentinelPair) -> None:
    """Down, then up on the other server, in another epoch; what the replica has of the history can still be read."""
    async with connected(RedisEngine(pair.url, timeout=3.0)) as (connection, heard):
        await connection.subscribe("tea")
        before = await connection.publish("tea", b"before", History())
        await heard.until(lambda: heard.arrivals)

        async def has_it() -> bool:
            return pair.replica.ask("EXISTS wsc{:tea}s").startswith(":1")

        await eventually(has_it)
        await anyio.to_thread.run_sync(pair.master.kill)
        await heard.until_state(EngineState.DOWN)
        with pytest.raises(EngineDownError, match="Fix: "):
            await connection.publish("tea", b"lost")
        await heard.until_state(EngineState.UP, 20)
        ((channel, position),) = heard.resumptions
        assert channel == "tea"
        assert position.epoch != before.epoch
        assert not (await connection.read("tea", before)).is_complete
        assert [data for _, data in (await connection.read("tea")).entries] == [b"before"]
        await connection.publish("tea", b"after")
        await heard.until(lambda: heard.data("tea") == [b"before", b"after"])
        assert [state for state, _ in heard.states] == [EngineState.DOWN, EngineState.UP]
