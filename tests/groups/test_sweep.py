"""One publication on its way to all members."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from wscontrollers.groups.envelope import Envelope
from wscontrollers.groups.member import Member
from wscontrollers.groups.publication import Publication
from wscontrollers.groups.rows import rows_of
from wscontrollers.groups.sweep import Sweep
from wscontrollers.messages import JsonCodec, MsgPackCodec
from wscontrollers.session import DEFAULT_LIMITS
from wscontrollers.session.delivery import Delivery
from wscontrollers.session.direct import DirectWriter
from wscontrollers.session.framing import FlatFraming
from wscontrollers.session.outbox import Outbox
from wscontrollers.session.owner import Owner
from wscontrollers.session.wire import Wire

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the servers whose `send` is stepped run on it alone


class Ear(Owner):
    """A session that hears: its server's `send` waits while it does not read, and fails as it is told to."""

    is_connecting = False

    def __init__(self, tasks: TaskGroup | None = None, codec: Any = None) -> None:
        self.tasks = tasks
        self.id = "1"
        self.user = None
        self.heard: list[Any] = []
        self.told: list[str] = []
        self.failure: Exception | None = None
        self.reads = asyncio.Event()  # uvicorn waits for one of these
        self.reads.set()
        self.framing = FlatFraming(codec or JsonCodec(), None)
        self.wire = Wire(None, limits=DEFAULT_LIMITS)
        self.outbox = Outbox(self.take, self, frames=1, size=1000)

    async def take(self, event: Any) -> None:
        if not self.reads.is_set():
            await self.reads.wait()
        if self.failure is not None:
            raise self.failure
        self.heard.append(event.get("text", event.get("bytes")))

    def start(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        if self.tasks is None:
            raise RuntimeError("it does not run")
        self.tasks.start_soon(function, *args)

    def lost(self) -> None:
        self.told.append("lost")

    def overflown(self) -> None:
        self.told.append("overflown")

    def gap(self, dropped: int) -> None: ...

    async def member(self, writer: Any = None) -> Member:
        """It is in the group, and its server's `send` can be stepped, or its transport be written to."""
        await self.outbox.send({"text": "first"}, 5)
        self.outbox.steps = True
        self.heard.clear()
        self.outbox.direct = writer
        life: Any = self
        member = Member(life)
        member.go_live()
        return member


def publication(text: str = "tea", **options: Any) -> Publication:
    return Publication("room", Envelope({"wsc.v1+json": text}, **options), None, is_marked=False)


def swept(published: Publication, hearing: list[Member]) -> tuple[int, int]:
    tally = Sweep(published, rows_of(hearing).of(published)).run()
    return tally.delivered, tally.dropped


async def members(ears: list[Ear]) -> list[Member]:
    return [await ear.member() for ear in ears]


async def test_everybody_hears_it() -> None:
    """One event for all of them; whoever is left out hears nothing, and is not counted."""
    ears = [Ear() for _ in range(3)]
    ears[2].id = "left out"
    hearing = await members(ears)
    assert swept(publication(exclude=frozenset({"left out"})), hearing) == (2, 0)
    assert [ear.heard for ear in ears] == [["tea"], ["tea"], []]


async def test_who_is_slow_holds_up_nobody() -> None:
    """Its write goes on in a task of its session; the members behind it hear at once, and it hears each message once."""
    async with anyio.create_task_group() as tasks:
        ears = [Ear(tasks) for _ in range(5)]
        hearing = await members(ears)
        for slow in (ears[1], ears[2], ears[4]):
            slow.reads = asyncio.Event()
        assert swept(publication("1"), hearing) == (5, 0)
        assert [ear.heard for ear in ears] == [["1"], [], [], ["1"], []]
        assert [ear.outbox.writing for ear in ears] == [False, True, True, False, True]
        assert swept(publication("2"), hearing) == (5, 0)
        assert [ear.outbox.waiting for ear in ears] == [0, 1, 1, 0, 1]
        for ear in ears:
            ear.reads.set()
            await ear.outbox.flush()
        assert [ear.heard for ear in ears] == [["1", "2"]] * 5
        assert [ear.outbox.writes for ear in ears] == [1, 3, 3, 1, 3]  # progress of those that others waited for
        assert swept(publication("3"), hearing) == (5, 0)
        assert [ear.heard[2:] for ear in ears] == [["3"]] * 5


async def test_who_stays_slow_has_its_policy() -> None:
    """When its outbox is full it is closed, as by any other message; the others go on."""
    async with anyio.create_task_group() as tasks:
        slow, other = Ear(tasks), Ear(tasks)
        hearing = await members([slow, other])
        slow.reads = asyncio.Event()
        assert [swept(publication(str(n)), hearing) for n in range(4)] == [(2, 0), (2, 0), (1, 0), (1, 0)]
        assert slow.told == ["overflown"]
        assert other.heard == ["0", "1", "2", "3"]
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("is_slow", [False, True])
async def test_whose_connection_broke_is_gone(is_slow: bool) -> None:
    """Whether that is seen at once or later, it is seen by its own session alone."""
    async with anyio.create_task_group() as tasks:
        ears = [Ear(tasks) for _ in range(3)]
        hearing = await members(ears)
        ears[1].failure = OSError("gone")
        if is_slow:
            ears[1].reads = asyncio.Event()
        assert swept(publication(), hearing) == (3 if is_slow else 2, 0)
        ears[1].reads.set()
        while not ears[1].told:
            await checkpoint()
        assert [ear.heard for ear in ears] == [["tea"], [], ["tea"]]
        assert [ear.told for ear in ears] == [[], ["lost"], []]
        assert hearing[1].offer(publication()) is Delivery.CLOSED


async def test_a_member_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in one session's way of sending is logged, and its message is lost."""
    ears = [Ear() for _ in range(3)]
    hearing = await members(ears)
    ears[0].failure = ValueError("a bug")
    ears[1].reads = asyncio.Event()  # it waits, and there is no session to wait in
    assert swept(publication(), hearing) == (1, 2)
    assert ears[2].heard == ["tea"]
    assert "session 1: a group's message could not be delivered" in caplog.text
    assert "does not run" in caplog.text


async def test_each_hears_it_in_its_own_dialect() -> None:
    """The frame of each is made once; where none can be made the message is dropped."""

    class Other(JsonCodec):
        subprotocol = "other"

    class Own:
        subprotocol, binary = "own", False

        def writer(self, union: Any) -> Any:
            return SimpleNamespace(control=None, message=None)

    ears = [Ear(), Ear(codec=MsgPackCodec()), Ear(), Ear(codec=Own())]
    assert swept(publication('{"a":1}'), await members(ears)) == (3, 1)
    assert [ear.heard for ear in ears] == [['{"a":1}'], [b"\x81\xa1a\x01"], ['{"a":1}'], []]


async def test_a_frame_that_cannot_be_written_closes_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A bug of a codec is logged, and the message is dropped there; whatever it raises, no session ends by it."""
    ears = [Ear(), Ear()]
    hearing = await members(ears)

    def raising(frames: Any, mark: Any) -> None:
        raise RuntimeError("a bug")

    ears[0].framing = SimpleNamespace(relayed=raising, dialect="broken")  # type: ignore[assignment]
    hearing[0].dialect = "broken"
    assert swept(publication(), hearing) == (1, 1)
    assert "could not be written" in caplog.text
    assert (ears[0].told, ears[1].heard) == ([], ["tea"])


def writing_to(write: Any) -> DirectWriter:
    """What writes to a transport with this `write`."""
    transport = SimpleNamespace(write=write, is_closing=lambda: False, get_write_buffer_size=lambda: 0)
    connection = SimpleNamespace(extensions=())
    return DirectWriter(
        SimpleNamespace(transport=transport, conn=connection, writable=asyncio.Event(), close_sent=False, disconnected=False)
    )


async def test_the_transport_is_preferred() -> None:
    """Where frames may be written to it; where it says no, `send` is asked."""
    ear = Ear()
    written: list[bytes] = []
    writer = writing_to(written.append)
    member = await ear.member(writer)
    assert swept(publication(), [member]) == (1, 0)
    assert (written, ear.heard) == ([b"\x81\x03tea"], [])
    writer.protocol.close_sent = True
    assert swept(publication(), [member]) == (1, 0)
    assert ear.heard == ["tea"]
    ear.outbox.direct = None  # the session is over
    assert swept(publication(), [member]) == (1, 0)
    assert ear.heard == ["tea"] * 2


async def test_nothing_is_written_before_what_waits() -> None:
    """Neither to the transport nor by `send`: it queues behind that."""
    async with anyio.create_task_group() as tasks:
        ear = Ear(tasks)
        writer = writing_to(lambda packet: pytest.fail("it overtook a frame"))
        member = await ear.member(writer)
        ear.reads = asyncio.Event()
        tasks.start_soon(ear.outbox.send, {"text": "before"}, 6)
        await anyio.wait_all_tasks_blocked()
        assert swept(publication(), [member]) == (1, 0)
        ear.reads.set()
        await ear.outbox.flush()
        assert ear.heard == ["before", "tea"]
