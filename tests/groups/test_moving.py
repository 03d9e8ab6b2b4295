"""Sessions that can be resumed move to the process that their client comes to."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from time import time
from typing import Annotated, Any

import anyio
import pytest

from tests.session.resuming.test_kept import ASKED, KEPT
from wscontrollers import (
    App,
    Controller,
    Denied,
    FirstMessage,
    Group,
    History,
    Message,
    Resume,
    Session,
    group,
    receive,
    websocket,
)
from wscontrollers.groups import MemoryEngine
from wscontrollers.messages import ErrorFrame, Gap, Presence, Recovered
from wscontrollers.session.resuming.kept import Place
from wscontrollers.session.resuming.tickets import Ticket
from wscontrollers.testing import AsyncTestClient

SECRET = "one secret for all"
LIST = Group("room:{room}", history=History(), presence=str)


class SharedMemory(MemoryEngine):
    """Carries groups between applications of one event loop, which stand for processes."""

    @property
    def is_shared(self) -> bool:
        return True


class Say(Message):
    text: str


class Join(Message):
    group: str
    info: str | None = None


class Said(Message):
    text: str
    number: int = 0


class Rooms(Controller):
    """Joins what it is asked to join."""

    resume = Resume(30, secret=SECRET)
    sends = (Said,)
    ends: list[Any]

    @websocket("/rooms")
    async def enter(self, session: Session[Any, Any], name: str = "ann") -> AsyncIterator[None]:
        self.session, self.number = session, 0
        await session.identify(name)
        yield
        self.ends.append(session.ended)

    @receive
    async def join(self, message: Join) -> None:
        await self.session.join(message.group, message.info)

    @receive
    async def say(self, message: Say) -> Said:
        self.number += 1
        return Said(text=message.text, number=self.number)


def process(engine: MemoryEngine, *, controller: type[Controller] | None = None, groups: Any = (LIST,)) -> Any:
    """An application as another process has it: classes of its own."""

    class Own(Rooms):
        ends: list[Any] = []

    app = App(controllers=[controller or Own], engine=engine, groups=groups)
    return app, Own.ends


async def test_a_session_goes_on_in_another_process() -> None:
    """With its id, its user, its groups and what was said in them; its controller begins anew."""
    engine = SharedMemory()
    (one, ends), (two, _) = process(engine), process(engine)
    async with (
        AsyncTestClient(one) as ones,
        AsyncTestClient(two) as twos,
        ones.connect("/rooms", params={"name": "bob"}, allow_leftovers=True) as bob,
    ):
        await bob.request(Join(group="plain"))
        async with ones.connect("/rooms") as before:
            await before.request(Join(group="room:tea", info="Ann"))
            await before.expect(Presence)
            await before.request(Join(group="plain"))
            assert await before.request(Say(text="a")) == Said(text="a", number=1)
            before.reset()
        await one.groups.publish("room:tea", Said(text="before"))
        async with twos.connect("/rooms", resume=before) as session:
            resumed = session.resumption.resumed
            assert resumed is not None
            assert (resumed.received, resumed.missed, resumed.moved) == (3, 0, True)
            assert await session.expect(Said) == Said(text="before")
            assert (await session.expect(Recovered)).complete
            assert [each["user"] for each in (await session.expect(Presence)).joined] == ["ann"]
            for group in ("room:tea", "plain", "user:ann"):
                await one.groups.publish(group, Said(text=group))
                assert await session.expect(Said) == Said(text=group)
            assert await session.request(Say(text="b")) == Said(text="b", number=1)
            assert [(end.by, end.code) for end in ends] == [("server", 1012)]
            assert [each.info for each in await two.groups.members("room:tea")] == ["Ann"]


async def test_its_client_may_come_before_its_loss_is_known() -> None:
    """The connection that seems to be there is closed."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos, ones.connect("/rooms") as before:
        await before.expect_nothing()
        async with twos.connect("/rooms", resume=before) as session:
            assert session.resumption.resumed is not None
            assert await before.expect_closed(1012) == "resumed in another process"


async def test_what_waits_goes_along() -> None:
    """Frames that were sent and did not arrive, and those that wait behind them."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
        async with ones.connect("/rooms") as before:
            await before.expect_nothing()
            before.pause_reading()
            await before.send(Say(text="a"))
            await anyio.wait_all_tasks_blocked()
            before.reset()
        for number in range(3):
            await one.groups.publish("user:ann", Said(text="b", number=number))
        async with twos.connect("/rooms", resume=before) as session:
            said = [await session.expect(Said) for _ in range(4)]

    assert [(each.text, each.number) for each in said] == [("a", 1), ("b", 0), ("b", 1), ("b", 2)]


async def test_it_moves_back_again() -> None:
    """Each time with a ticket of its own; one that was used is good nowhere."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
        async with ones.connect("/rooms") as first:
            await first.expect_nothing()
            first.reset()
        async with twos.connect("/rooms", resume=first) as second:
            await second.request(Say(text="a"))
            second.reset()
        async with ones.connect("/rooms", resume=first) as stranger:
            assert stranger.resumption.resumed is None
        async with ones.connect("/rooms", resume=second) as third:
            resumed = third.resumption.resumed
            assert resumed is not None
            assert resumed.moved


async def test_what_was_lost_between_the_processes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a group without a history: what was published when the session had left here, and was not there yet."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with (
        AsyncTestClient(one) as ones,
        AsyncTestClient(two) as twos,
        ones.connect("/rooms", params={"name": "bob"}, allow_leftovers=True) as bob,
    ):
        await bob.request(Join(group="plain"))
        async with ones.connect("/rooms") as before:
            await before.request(Join(group="plain"))
            before.reset()
        hub = two.groups.mover._hub
        add = hub.add

        async def late(name: str, member: Any) -> Any:
            if name == "plain":
                await one.groups.publish("plain", Said(text="lost"))
            return await add(name, member)

        monkeypatch.setattr(hub, "add", late)
        async with twos.connect("/rooms", resume=before) as session:
            assert await session.expect(Gap) == Gap(1, "engine", "plain")


async def test_a_group_whose_guard_refuses_is_told() -> None:
    """Guards are asked in the process that it comes to."""
    engine = SharedMemory()

    @group("room:{room}")
    async def closed(room: str) -> None:
        raise Denied(403, "closed")

    (one, _), (two, _) = process(engine, groups=()), process(engine, groups=[closed])
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
        async with ones.connect("/rooms") as before:
            await before.request(Join(group="room:tea"))
            before.reset()
        async with twos.connect("/rooms", resume=before) as session:
            assert await session.expect_error("forbidden") == ErrorFrame("forbidden", "no member of room:tea any more")


async def test_its_first_message_is_there_again() -> None:
    """A client that comes back does not know that it is asked for its credentials again."""
    engine = SharedMemory()
    seen: list[str] = []

    def controller() -> type[Controller]:
        class Signed(Controller):
            resume = Resume(30, secret=SECRET)

            @websocket("/")
            async def enter(self, session: Session[Any, Any], token: Annotated[str, FirstMessage(timeout=5)]) -> None:
                seen.append(token)
                async for _ in session:
                    pass

        return Signed

    (one, _), (two, _) = process(engine, controller=controller()), process(engine, controller=controller())
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
        async with ones.connect("/") as before:
            await before.send_text('"t"')
            await before.expect_nothing()
            before.reset()
        async with twos.connect("/", resume=before) as session:
            assert session.resumption.resumed is not None

    assert seen == ["t", "t"]


async def test_a_process_that_ends_leaves_its_sessions() -> None:
    """Their clients go on at another one, for as long as the grace; who is second gets nothing."""
    engine = SharedMemory()
    (one, ends), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(two) as twos:
        async with AsyncTestClient(one) as ones, ones.connect("/rooms") as before:
            await before.request(Join(group="room:tea", info="Ann"))
            await before.expect(Presence)
            before.reset()
        assert [(end.by, end.code) for end in ends] == [("server", 1012)]
        async with twos.connect("/rooms", resume=before, allow_leftovers=True) as session:
            resumed = session.resumption.resumed
            assert resumed is not None
            assert (resumed.received, resumed.moved) == (1, True)
        async with twos.connect("/rooms", resume=before) as stranger:
            assert stranger.resumption.resumed is None


async def test_of_two_who_want_a_session_that_was_left_one_has_it() -> None:
    """Both have the ticket; the engine's order decides."""
    engine = SharedMemory()
    (one, _), (two, _), (three, _) = process(engine), process(engine), process(engine)
    async with AsyncTestClient(one), AsyncTestClient(two), AsyncTestClient(three):
        await one.groups.mover.leave(KEPT)
        found: list[Any] = []

        async def take(app: Any) -> None:
            found.append(await app.groups.mover.take(ASKED))

        async with anyio.create_task_group() as tasks:
            for app in (two, three):
                tasks.start_soon(take, app)

    assert sorted(found, key=str) == sorted([KEPT, None], key=str)


async def test_a_process_that_is_gone_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client has another session then, and knows it."""
    monkeypatch.setattr("wscontrollers.groups.moving.ANSWER", 0.01)
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(two) as twos:
        async with AsyncTestClient(one) as ones, ones.connect("/rooms") as before:
            await before.expect_nothing()
            await before.close()
        async with twos.connect("/rooms", resume=before) as session:
            assert session.resumption.resumed is None


async def test_another_secret_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """And where a process makes its own the start says so."""
    engine = SharedMemory()

    class Own(Rooms):
        resume = Resume(30)
        ends: list[Any] = []

    (one, _), (two, _) = process(engine), process(engine, controller=Own)
    with caplog.at_level(logging.WARNING, "wscontrollers"):
        async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
            async with ones.connect("/rooms") as before:
                await before.expect_nothing()
                before.reset()
            async with twos.connect("/rooms", resume=before) as session:
                assert session.resumption.resumed is None

    assert [record.message[:60] for record in caplog.records] == [
        "sessions can be resumed in the process that has them alone: t"[:60]
    ]


async def test_what_is_no_question_and_no_answer_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """Another version of the program, or somebody else, publishes to the channels."""
    engine = SharedMemory()
    (one, _) = process(engine)
    async with AsyncTestClient(one) as ones, ones.connect("/rooms") as session:
        await session.expect_nothing()
        connection = await one.groups.mover._hub.open()
        with caplog.at_level(logging.WARNING, "wscontrollers"):
            await connection.publish("m:asks", b"nonsense")
            await anyio.wait_all_tasks_blocked()

    assert [record.message for record in caplog.records] == ["groups: a question of another process was not understood"]


async def test_a_process_that_refuses_leaves_the_session_to_others() -> None:
    """A guard that denies, or fails, used nothing: the client may come again, here or elsewhere."""
    engine = SharedMemory()
    refuses = [True]

    class Guarded(Rooms):
        ends: list[Any] = []

        def __init__(self) -> None:
            if refuses.pop():
                raise Denied(503, "busy")

    refuses = [False, True]
    (one, _), (two, _) = process(engine), process(engine, controller=Guarded)
    async with AsyncTestClient(one) as ones, AsyncTestClient(two) as twos:
        async with ones.connect("/rooms") as before:
            await before.request(Join(group="plain"))
            before.reset()
        await twos.connect("/rooms", resume=before).expect_refused(503)
        async with twos.connect("/rooms", resume=before, allow_leftovers=True) as session:
            assert session.resumption.resumed is not None
            assert session.resumption.resumed.moved


async def test_who_is_locked_out_while_his_session_moves_stays_out() -> None:
    """What was ordered when nobody had it holds for it."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    async with AsyncTestClient(two) as twos:
        async with AsyncTestClient(one) as ones, ones.connect("/rooms") as before:
            await before.expect_nothing()
            before.reset()
        await two.groups.disconnect("user:ann", 4003, "locked out")
        async with twos.connect("/rooms", resume=before) as session:
            assert await session.expect_closed(4003) == "locked out"


async def test_a_session_that_caught_up_when_it_moved_is_told_that_it_may_lack_something() -> None:
    """Up to where it has the messages of that group is not known."""
    engine = SharedMemory()
    (one, _), (two, _) = process(engine), process(engine)
    kept = replace(
        KEPT, groups=[Place("room:tea", None, 0, "Ann")], user="ann", place=("", "/rooms"), origin=None, subprotocol=None
    )
    tickets = Rooms.resume.tickets if Rooms.resume else None
    assert tickets is not None
    async with AsyncTestClient(one), AsyncTestClient(two) as twos:
        await one.groups.mover.leave(replace(kept, at=time()))
        ticket = tickets.sign(Ticket(kept.session, 3, int(time()) + 100))
        params = {"resume": ticket, "received": "7"}
        async with twos.connect("/rooms", params=params, allow_leftovers=True) as session:
            assert [type(each) for each in (await session.expect(Presence), await session.expect(Gap))] == [Presence, Gap]
