"""Sessions that outlive their connections, as clients see them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from wscontrollers import (
    App,
    Controller,
    DeclarationError,
    Delivery,
    Depends,
    Groups,
    JsonRpc,
    Limits,
    Message,
    MsgPackCodec,
    Resume,
    Session,
    WebSocket,
    receive,
    register_controllers,
    websocket,
)
from wscontrollers.messages import Gap
from wscontrollers.testing import AsyncTestClient, TestClient


class Say(Message):
    text: str


class Said(Message):
    text: str
    number: int = 0


class Rooms(Controller):
    """Answers every message with how many there were."""

    prefix = "/rooms"
    resume = Resume(30)
    sends = (Said,)

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.number = 0

    @websocket("/{room}")
    async def enter(self, session: Session[Any, Any], room: str) -> AsyncIterator[None]:
        await session.join(f"room:{room}")
        yield

    @receive
    async def say(self, message: Say) -> Said:
        self.number += 1
        return Said(text=message.text, number=self.number)


def ended_in(controller: type[Rooms]) -> tuple[type[Rooms], list[Any]]:
    """The controller with a list of how its sessions ended."""
    ends: list[Any] = []

    class Noted(controller):  # type: ignore[misc, valid-type]
        @websocket("/{room}")
        async def enter(self, session: Session[Any, Any], room: str) -> AsyncIterator[None]:
            yield
            ends.append(session.ended)

    return Noted, ends


async def test_a_session_goes_on_where_it_was() -> None:
    """The same controller, and what was said to its client meanwhile comes in its order, once."""
    app = App(controllers=[Rooms])
    async with AsyncTestClient(app) as client:
        async with client.connect("/rooms/tea") as before:
            assert await before.request(Say(text="a")) == Said(text="a", number=1)
            before.reset()
        await app.groups.publish("room:tea", Said(text="meanwhile"))
        async with client.connect("/rooms/tea", resume=before) as session:
            assert await session.expect(Said) == Said(text="meanwhile")
            assert await session.request(Say(text="b")) == Said(text="b", number=2)

    assert session.resumption.resumed is not None
    assert (session.resumption.resumed.received, session.resumption.resumed.missed) == (1, 0)


async def test_what_was_on_its_way_is_sent_again() -> None:
    """A frame that went into a connection which was dead already is none that the client received."""
    async with AsyncTestClient(App(controllers=[Rooms])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.pause_reading()
            await before.send(Say(text="a"))
            await anyio.wait_all_tasks_blocked()
            before.reset()
        assert before.resumption.received == 0
        async with client.connect("/rooms/tea", resume=before) as session:
            assert await session.expect(Said) == Said(text="a", number=1)


async def test_of_too_many_that_wait_the_one_that_waits_longest_ends() -> None:
    """Clients that come and are lost in crowds fill no memory; who is back, and who never left, is none of those that wait."""

    class Few(Rooms):
        resume = Resume(30, limit=2)

    controller, ends = ended_in(Few)
    async with AsyncTestClient(App(controllers=[controller])) as client, client.connect("/rooms/tea") as there:
        lost = []
        for _ in range(3):
            async with client.connect("/rooms/tea") as session:
                await session.request(Say(text="a"))
                session.reset()
            lost.append(session)
            if len(lost) == 2:
                async with client.connect("/rooms/tea", resume=lost[0]) as back:
                    await back.request(Say(text="b"))
                    back.reset()
        await anyio.wait_all_tasks_blocked()
        assert [(end.by, end.code) for end in ends] == [("network", 1006)]
        async with client.connect("/rooms/tea", resume=lost[1]) as anew:
            assert await anew.request(Say(text="b")) == Said(text="b", number=1)
            anew.reset()
        assert await there.request(Say(text="b")) == Said(text="b", number=1)


async def test_a_client_that_does_not_come_back_is_gone_after_the_grace() -> None:
    """Until then the session does not end; afterwards its ticket opens another one."""
    controller, ends = ended_in(Rooms)
    async with AsyncTestClient(App(controllers=[controller])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.request(Say(text="a"))
            before.reset()
        await client.clock.advance(29)
        assert ends == []
        await client.clock.advance(2)
        assert [(end.by, end.code) for end in ends] == [("network", 1006)]
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is None
            assert await session.request(Say(text="a")) == Said(text="a", number=1)


async def test_a_close_of_the_client_is_the_end() -> None:
    """Who closes does not come back, and its server's call lasts until the session has cleaned up."""
    controller, ends = ended_in(Rooms)
    async with AsyncTestClient(App(controllers=[controller])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            await before.close(1000)
        assert [end.by for end in ends] == ["client"]
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is None


async def test_a_client_comes_back_before_its_loss_is_known() -> None:
    """The dead connection gives way; one that is alive all the same is closed."""
    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/rooms/tea") as before:
        await before.request(Say(text="a"))
        async with client.connect("/rooms/tea", resume=before) as session:
            assert await before.expect_closed(1000) == "resumed by another connection"
            assert await session.request(Say(text="b")) == Said(text="b", number=2)


@pytest.mark.parametrize("path", ["/rooms/coffee", "/rooms/tea"])
async def test_a_ticket_opens_its_own_session_alone(path: str) -> None:
    """At another path, from another page, or with a ticket that is none, the handshake is one like any other."""
    headers = {} if path == "/rooms/coffee" else {"Origin": "http://testserver"}
    async with AsyncTestClient(App(controllers=[Rooms])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        async with client.connect(path, resume=before, headers=headers) as session:
            assert session.resumption.resumed is None
        async with client.connect("/rooms/tea", params={"resume": "x" * 44, "received": "1"}) as session:
            await session.expect_nothing()
            assert session.resumption.resumed is None
        async with client.connect("/rooms/tea", params={"resume": before.resumption.ticket, "received": "-1"}) as session:
            assert session.resumption.resumed is None


async def test_a_page_of_a_foreign_site_has_no_use_of_a_ticket() -> None:
    """Origins are looked at before tickets."""
    async with AsyncTestClient(App(controllers=[Rooms])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        await client.connect("/rooms/tea", resume=before, headers={"Origin": "https://evil"}).expect_refused(403)
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is not None


async def test_guards_run_once() -> None:
    """At the handshake that opened the session; a ticket is what its client has of that."""
    runs: list[str] = []

    def guard() -> None:
        runs.append("guard")

    class Guarded(Rooms):
        dependencies = [Depends(guard, thread=False)]

    async with AsyncTestClient(App(controllers=[Guarded])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is not None

    assert runs == ["guard"]


async def test_who_sends_to_a_client_that_is_away_waits_or_queues() -> None:
    """As for a slow one: the outbox is bounded, and its policy holds."""
    deliveries: list[Delivery] = []
    sessions: list[Session[Any, Any]] = []

    class Pushing(Controller):
        resume = Resume(30)
        limits = Limits(outbox=2, stall=5)
        outbox = "drop_newest"
        sends = (Said,)

        @websocket("/")
        async def enter(self, session: Session[Any, Said]) -> None:
            sessions.append(session)
            async for _ in session:
                pass

    async with AsyncTestClient(App(controllers=[Pushing])) as client:
        async with client.connect("/") as before:
            await before.expect_nothing()
            before.reset()
        (session,) = sessions
        assert not session.is_connected
        for number in range(5):
            deliveries.append(session.send_nowait(Said(text="x", number=number)))
            await anyio.wait_all_tasks_blocked()
        await client.clock.advance(20)  # no limit of time counts but the client's own, to come back
        async with client.connect("/", resume=before) as after:
            assert (await after.expect(Said)).number == 0
            assert (await after.expect(Gap)).dropped == 2
            assert [(await after.expect(Said)).number for _ in range(2)] == [1, 2]
            assert session.is_connected
            assert session.resumed == 1

    assert deliveries == [Delivery.QUEUED] * 3 + [Delivery.DROPPED] * 2


async def test_a_session_whose_outbox_overflows_ends_without_its_client() -> None:
    """Memory stays bounded, whoever is away; the client is told that it begins anew."""

    class Small(Rooms):
        limits = Limits(outbox=2)

    app = App(controllers=[Small])
    async with AsyncTestClient(app) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        for _ in range(5):
            await app.groups.publish("room:tea", Said(text="x"))
            await anyio.wait_all_tasks_blocked()
        await client.clock.advance(1)
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is None


async def test_a_session_that_lasts_gets_another_ticket() -> None:
    """One that was seen by somebody else is not good for ever."""
    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/rooms/tea") as session:
        await session.expect_nothing()
        first = session.resumption.ticket
        await client.clock.advance(301)
        await session.expect_nothing()
        assert session.resumption.ticket != first
        await client.clock.advance(400)
        async with client.connect("/rooms/tea", params={"resume": first}) as other:
            await other.expect_nothing()
            assert other.resumption.resumed is None


async def test_the_idle_limit_does_not_count_while_the_client_is_away() -> None:
    """It was not silent, it was not there."""

    class Idle(Rooms):
        limits = Limits(idle=20, heartbeat=10)

    async with AsyncTestClient(App(controllers=[Idle])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        await client.clock.advance(25)
        async with client.connect("/rooms/tea", resume=before) as session:
            await client.clock.advance(5)
            await session.expect_nothing()
            assert await session.request(Say(text="a")) == Said(text="a", number=1)


async def test_a_bug_while_nobody_is_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Once, in full; and the ticket opens another session then."""
    go_on = anyio.Event()

    class Buggy(Controller):
        resume = Resume(30)

        @websocket("/")
        async def enter(self, session: Session[Any, Any]) -> None:
            if not go_on.is_set():
                session.start_soon(self.fail)
            async for _ in session:
                pass

        async def fail(self) -> None:
            await go_on.wait()
            raise ValueError("a bug")

    async with AsyncTestClient(App(controllers=[Buggy])) as client:
        async with client.connect("/") as before:
            await before.expect_nothing()
            before.reset()
        with caplog.at_level(logging.ERROR, "wscontrollers"):
            go_on.set()
            await anyio.wait_all_tasks_blocked()
        async with client.connect("/", resume=before) as session:
            assert session.resumption.resumed is None

    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [("a bug",)]


async def test_a_bug_while_the_client_is_there_is_told_as_ever() -> None:
    """1011 without a word of it, also on a later connection."""

    class Buggy(Controller):
        resume = Resume(30)

        @websocket("/")
        async def enter(self, session: Session[Say, Any]) -> None:
            async for _ in session:
                raise ValueError("a bug")

    async with AsyncTestClient(App(controllers=[Buggy])) as client:
        async with client.connect("/") as before:
            await before.expect_nothing()
            before.reset()
        async with client.connect("/", resume=before) as session:
            await session.send(Say(text="a"))
            assert await session.expect_closed(1011) == "Internal error"


async def test_the_end_of_the_application_ends_sessions_without_clients() -> None:
    """With their clean-ups, before the container's resources are closed."""
    controller, ends = ended_in(Rooms)
    async with AsyncTestClient(App(controllers=[controller])) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        assert ends == []

    assert [(end.by, end.code) for end in ends] == [("server", 1001)]


async def test_a_session_is_resumed_in_its_codec() -> None:
    """The subprotocol is chosen again; a client that does not offer it gets another session."""
    async with AsyncTestClient(App(controllers=[Rooms], codecs=[MsgPackCodec()])) as client:
        offered = [MsgPackCodec.subprotocol]
        async with client.connect("/rooms/tea", subprotocols=offered) as before:
            assert await before.request(Say(text="a")) == Said(text="a", number=1)
            before.reset()
        async with client.connect("/rooms/tea", subprotocols=offered, resume=before) as session:
            assert session.subprotocol == MsgPackCodec.subprotocol
            assert await session.request(Say(text="b")) == Said(text="b", number=2)


async def test_it_works_in_a_plain_starlette_application() -> None:
    """Controllers take their options with them."""
    app = Starlette()
    register_controllers(app, Rooms)
    async with AsyncTestClient(app) as client:
        async with client.connect("/rooms/tea") as before:
            await before.request(Say(text="a"))
            before.reset()
        async with client.connect("/rooms/tea", resume=before) as session:
            assert await session.request(Say(text="b")) == Said(text="b", number=2)


async def test_a_session_without_a_client_can_be_ended() -> None:
    """`groups.disconnect` reaches it as any other: who was locked out does not come back by a ticket."""
    app = App(controllers=[Rooms])
    async with AsyncTestClient(app) as client:
        async with client.connect("/rooms/tea") as before:
            await before.expect_nothing()
            before.reset()
        ticket = Rooms.resume.tickets.read(before.resumption.ticket or "")
        assert ticket is not None
        await app.groups.disconnect(f"session:{ticket.session}")
        await anyio.wait_all_tasks_blocked()
        async with client.connect("/rooms/tea", resume=before) as session:
            assert session.resumption.resumed is None


def test_a_test_client_without_an_event_loop_can_be_used() -> None:
    """Starlette's manners: the ticket is a frame like any other."""
    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/rooms/tea") as session:
        assert session.receive_json()["type"] == "resumable"
        session.send_json({"type": "say", "text": "a"})
        assert session.receive_json()["number"] == 1


def test_an_endpoint_without_a_session_is_refused() -> None:
    """A WebSocket alone has no frames in which a ticket could be sent."""

    class Raw(Controller):
        resume = Resume()

        @websocket("/")
        async def enter(self, websocket: WebSocket) -> None: ...

    with pytest.raises(DeclarationError, match=r"it holds no Session.*Fix: "):
        App(controllers=[Raw])


def test_json_rpc_is_refused() -> None:
    """It has no frames for it."""

    class Calls(Controller):
        resume = Resume()
        protocol = JsonRpc()

        @websocket("/")
        async def enter(self, session: Session[Any, Any]) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> None: ...

    with pytest.raises(DeclarationError, match=r"JSON-RPC has no frames.*Fix: "):
        App(controllers=[Calls])


def test_what_says_nothing_of_resuming_is_refused() -> None:
    """`resume = True` may be meant, and is not known."""

    class Rooms(Controller):
        resume = True  # type: ignore[assignment]

        @websocket("/")
        async def enter(self, session: Session[Any, Any]) -> None: ...

    with pytest.raises(DeclarationError, match=r"says nothing of resuming.*Fix: "):
        App(controllers=[Rooms])


async def test_an_endpoint_that_accepts_by_itself_gives_its_ticket_then() -> None:
    """Nothing is sent before the handshake has its answer."""

    class Late(Controller):
        resume = Resume(30)

        @websocket("/", accept=False)
        async def enter(self, session: Session[Any, Any], name: Annotated[str, "a name"] = "") -> None:
            await session.accept()
            async for _ in session:
                pass

    async with AsyncTestClient(App(controllers=[Late])) as client:
        async with client.connect("/") as before:
            await before.expect_nothing()
            before.reset()
        async with client.connect("/", resume=before) as session:
            assert session.resumption.resumed is not None


async def test_who_leaves_before_an_accept_is_not_waited_for() -> None:
    """He has no ticket."""
    ended = anyio.Event()

    class Late(Controller):
        resume = Resume(30)

        @websocket("/", accept=False)
        async def enter(self, session: Session[Any, Any]) -> None:
            try:
                while (await session.websocket.receive())["type"] != "websocket.disconnect":
                    pass
            finally:
                ended.set()

    async with AsyncTestClient(App(controllers=[Late])) as client:
        with anyio.move_on_after(0.05):
            async with client.connect("/"):
                pass
        with anyio.fail_after(5):
            await ended.wait()


async def test_any_query_can_be_looked_at() -> None:
    """One that no ticket is in, with more parameters than anybody reads."""
    query = "&".join(["resume=x"] * 1001)
    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect(f"/rooms/tea?{query}") as session:
        await session.expect_nothing()
        assert session.resumption.resumed is None


async def test_without_a_lifespan_the_end_of_the_server_is_the_end_of_sessions() -> None:
    """Nobody would end them later."""
    controller, ends = ended_in(Rooms)
    app = App(controllers=[controller])
    for mounted, count in ((Starlette(routes=[Mount("/", app)]), 1), (app, 1)):
        async with AsyncTestClient(mounted) as client:
            async with client.connect("/rooms/tea") as session:
                await session.expect_nothing()
                await session.close(1012)
            assert len(ends) == count
