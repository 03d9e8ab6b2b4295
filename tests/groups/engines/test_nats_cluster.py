"""A cluster of three NATS servers that each have the streams."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.engines.engine import EngineState, History
from wscontrollers.groups.engines.nats import NatsEngine

from .listening import connected
from .nats_server import NatsServer

ELECTIONS = 25.0
"""Seconds within which the servers agree on who leads; they begin to ask themselves after 4 to 9 s."""


Answer = TypeVar("Answer")


@pytest.fixture
def anyio_backend() -> str:
    """nats-py knows asyncio only."""
    return "asyncio"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[NatsServer]]:
    """Three servers."""
    with ExitStack() as held:  # so that no port is given twice
        ports: list[int] = [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(3)]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        users = 'authorization { user: "wsc", password: "secret" }'
        found = [
            NatsServer(
                tmp_path / f"node{number}",
                more=f'server_name: node{number}\ncluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{routes}] }}\n{users}',
            )
            for number, port in enumerate(ports)
        ]
    try:
        for server in found:
            server.start()
        yield found
    finally:
        for server in found:
            server.kill()


@pytest.mark.timeout(60)
async def test_a_server_of_a_cluster_is_killed(servers: list[NatsServer]) -> None:
    """Another one takes over, also one that was only told of: the same epoch, and nothing that was acknowledged is missing."""
    urls = [f"nats://wsc:secret@127.0.0.1:{server.port}" for server in servers]
    first = NatsEngine(urls[0], replicas=3, required=False)
    third = NatsEngine(urls[2], replicas=3, required=False)
    async with connected(first) as (ann, ann_heard), connected(third) as (bob, bob_heard):
        for connection, heard in ((ann, ann_heard), (bob, bob_heard)):
            if connection.state is not EngineState.UP:
                await heard.until_state(EngineState.UP, ELECTIONS)
        begin = await ann.subscribe("tea")
        published = [await bob.publish("tea", b"%d" % number, History(1_000)) for number in range(50)]
        # What one server acknowledged is there on whichever one answers.
        for number in range(50):
            channel = f"room {number}"
            start = await ann.subscribe(channel)
            place = await bob.publish(channel, b"1", History())
            for connection in (ann, bob):
                page = await connection.read(channel, start)
                assert (page.entries, page.is_complete) == ([(place.offset, b"1")], True)
        await ann.put("space", "key", b"value")
        before = len(ann_heard.states)
        await anyio.to_thread.run_sync(servers[0].kill)
        await ann_heard.until(lambda: len(ann_heard.states) > before)
        await ann_heard.until_state(EngineState.UP, ELECTIONS)
        for number in range(50, 100):
            data = b"%d" % number
            published.append(await elected(lambda data=data: bob.publish("tea", data, History(1_000))))  # type: ignore[misc]
        assert {place.epoch for place in published} == {begin.epoch}
        page = await elected(lambda: ann.read("tea", begin))
        assert page.is_complete
        assert {offset for offset, _ in page.entries} >= {place.offset for place in published}
        assert await elected(lambda: ann.entries("space")) == {"key": b"value"}
        last = await elected(lambda: bob.publish("tea", b"end"))
        await ann_heard.until(lambda: ann_heard.of("tea") and ann_heard.of("tea")[-1].position == last)


async def elected(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """What a call returns once the servers agree on who leads; until then they do not answer."""
    with anyio.fail_after(ELECTIONS):
        while True:
            try:
                return await call()
            except EngineDownError:
                await anyio.sleep(0.1)
