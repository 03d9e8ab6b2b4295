"""The connection over which messages come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import NoPermissionError

from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups.engines.redis_greeting import Facts
from wscontrollers.groups.engines.redis_link import Link
from wscontrollers.groups.engines.redis_subscriptions import Keys
from wscontrollers.groups.engines.redis_wire import Verbs

from .cable import Cable
from .listening import PATIENCE
from .servers import RedisServer


@pytest.fixture
def anyio_backend() -> str:
    """redis-py knows asyncio only."""
    return "asyncio"


class Told:
    """Notes what a link tells, as its owner and as its subscriptions."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.messages: list[tuple[bytes, bytes]] = []
        self.places: list[bytes] = []
        self.held: list[Keys] = []
        self.fault: EngineError | None = None
        self._news = asyncio.Event()

    def check(self, name: str, facts: Facts) -> None:
        if self.fault is not None:
            raise self.fault

    def wanted(self, link: Link) -> Iterable[Keys]:
        return self.held

    def restored(self, link: Link) -> None:
        self._note("restored")

    def lost(self, link: Link, reason: str) -> None:
        self._note(f"lost: {reason}")

    def moved(self, link: Link) -> None:
        self._note("moved")

    def holds(self, key: bytes) -> bool:
        return any(key == each for each, _ in self.held)

    def arrived(self, key: bytes, payload: bytes) -> None:
        self.messages.append((key, payload))
        self._news.set()

    def resumed(self, key: bytes, place: bytes) -> None:
        self.places.append(place)
        self._note("resumed")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, holds: Any) -> None:
        """Wait until something holds."""
        with anyio.fail_after(PATIENCE):
            while not holds():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def opened(port: int, told: Any, *, timeout: float = 1.0, **options: Any) -> AsyncIterator[Link]:  # noqa: ASYNC109
    """A link, after its first attempt."""

    def make() -> Any:
        return Connection(host="127.0.0.1", port=port, protocol=3, socket_timeout=None, **options)

    link = Link("redis at home", make, Verbs("SUBSCRIBE", "UNSUBSCRIBE"), told, told, timeout, 60)
    link.start()
    try:
        await link.settled()
        yield link
    finally:
        await link.stop()


def keys() -> Keys:
    key = b"link{%s}" % token_hex(4).encode()
    return key, key + b"s"


async def test_messages_come(valkey: RedisServer) -> None:
    """As soon as it is subscribed, and no more when that ended; each subscription has its own place."""
    told, tea, milk = Told(), keys(), keys()
    async with opened(valkey.port, told) as link, Redis.from_url(valkey.url) as redis:
        places = await asyncio.gather(link.subscribe(tea), link.subscribe(milk))
        assert [place.split()[1] for place in places] == [b"0", b"0"]
        await redis.publish(tea[0], b"1")
        link.unsubscribe(tea[0])
        await link.subscribe(milk)
        await redis.publish(tea[0], b"2")
        await redis.publish(milk[0], b"3")
        await told.until(lambda: len(told.messages) == 2)
        assert told.messages == [(tea[0], b"1"), (milk[0], b"3")]
        assert told.events == ["restored"]


async def test_it_comes_back(valkey: RedisServer) -> None:
    """What is held is subscribed again, its place is told, and then the link is up."""
    told, tea = Told(), keys()
    async with Cable(valkey.port) as cable, opened(cable.port, told) as link:
        place = await link.subscribe(tea)
        told.held.append(tea)
        await cable.snap()
        await told.until(lambda: len(told.events) == 4)
        assert told.events[1].startswith("lost: redis at home: it is not there: ")
        assert (told.events[2:], told.places) == (["resumed", "restored"], [place])


async def test_while_it_is_away(valkey: RedisServer) -> None:
    """Subscribing raises at once, and why."""
    told = Told()
    async with Cable(valkey.port) as cable, opened(cable.port, told) as link:
        await cable.cut()
        await told.until(lambda: len(told.events) == 2)
        link.unsubscribe(b"tea")
        begin = time.monotonic()
        with pytest.raises(EngineDownError, match=r"redis at home: it is not there: .*Fix: "):
            await link.subscribe(keys())
        assert time.monotonic() - begin < 0.5


async def test_a_server_that_is_not_fit(valkey: RedisServer) -> None:
    """It is not used, and the owner's reason is told."""
    told = Told()
    told.fault = EngineError("not this one")
    async with opened(valkey.port, told) as link:
        assert link.failure is told.fault
        assert told.events == ["lost: not this one"]


async def test_a_refused_subscription(valkey: RedisServer) -> None:
    """redis-py's error; the link stays, and so do other subscriptions."""
    name, told, tea = f"u{token_hex(4)}", Told(), keys()
    valkey.ask(f"ACL SETUSER {name} on >secret ~* +@all resetchannels &{tea[0].decode()}")
    async with opened(valkey.port, told, username=name, password="secret") as link:
        await link.subscribe(tea)
        with pytest.raises(NoPermissionError):
            await link.subscribe(keys())
        await link.subscribe(tea)
        assert told.events == ["restored"]
    valkey.ask(f"ACL DELUSER {name}")


async def test_a_forgotten_script(valkey: RedisServer) -> None:
    """All that waits for it is asked again."""
    told = Told()
    async with opened(valkey.port, told) as link:
        valkey.ask("SCRIPT FLUSH")
        assert len(await asyncio.gather(*(link.subscribe(keys()) for _ in range(20)))) == 20
        assert told.events == ["restored"]


async def test_an_answer_that_comes_late(valkey: RedisServer) -> None:
    """Whoever asked has given up; the subscription is there, and told."""
    told, tea = Told(), keys()
    async with Cable(valkey.port) as cable, opened(cable.port, told, timeout=0.4) as link:
        cable.delay = 0.25  # for each way
        with pytest.raises(TimeoutError):
            await link.subscribe(tea)
        await told.until(lambda: told.places)
        assert told.events == ["restored", "resumed"]


async def test_an_event_loop_that_stands_still(valkey: RedisServer) -> None:
    """The server is not to blame: looks are counted, and not the time."""
    told = Told()
    async with opened(valkey.port, told, timeout=0.1) as link:
        for _ in range(3):
            time.sleep(0.5)  # noqa: ASYNC251  # many time-outs
            await anyio.sleep(0.02)
        await link.subscribe(keys())
        assert told.events == ["restored"]
