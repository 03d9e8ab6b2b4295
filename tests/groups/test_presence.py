"""Presence as sessions and applications see it: who is there, who comes and who leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

import anyio.to_thread
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.groups.presence.workers import Become, Leave, Who, Worker, joined, left, who
from wscontrollers import App, Controller, JsonCodec, JsonRpc, Message, MsgPackCodec, Session, websocket
from wscontrollers.groups import Group, Groups, History, MemoryEngine, PresenceOf, Present, Publisher
from wscontrollers.messages import Presence, Recovered
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


async def test_who_joins_is_told_who_is_there_and_the_others_who_came() -> None:
    """The list has the newcomer too; in other workers it is the same."""
    engine = MemoryEngine()
    async with (
        Worker(engine) as one,
        Worker(engine) as two,
        one.connect("Ann", "ann") as ann,
        two.connect("Bob", "bob") as bob,
        two.connect("Eve", "eve") as eve,
    ):
        assert await ann.expect(Presence) == joined(who("Ann"))
        assert await bob.expect(Presence) == joined(who("Ann"), who("Bob"))
        assert await eve.expect(Presence) == joined(who("Ann"), who("Bob"), who("Eve"))
        for peer in (ann, bob):
            if peer is ann:
                assert await peer.expect(Presence) == joined(who("Bob"))
            assert await peer.expect(Presence) == joined(who("Eve"))
            await peer.expect_nothing()
        await eve.expect_nothing()


async def test_a_user_who_leaves_has_time_to_come_back() -> None:
    """Nobody is told of either if he comes back within it, to whatever worker; later all are told once."""
    engine = MemoryEngine()
    async with Worker(engine) as one, Worker(engine) as two, one.connect("Ann", "ann") as ann, two.connect("Bob", "bob") as bob:
        for peer, frames in ((ann, 2), (bob, 1)):
            for _ in range(frames):
                await peer.expect(Presence)
        for worker in (one, two):
            async with worker.connect("Eve", "eve") as eve:
                await eve.expect(Presence)
                if worker is one:
                    assert await ann.expect(Presence) == joined(who("Eve"))
                    assert await bob.expect(Presence) == joined(who("Eve"))
            await one.client.clock.advance(1.0)
            await two.client.clock.advance(1.0)
            await ann.expect_nothing()
            await bob.expect_nothing()
        for worker, peer in ((one, ann), (two, bob)):
            await worker.client.clock.advance(1.0)
            assert await peer.expect(Presence) == left(who("Eve"))


async def test_sessions_of_nobody_are_told_at_once() -> None:
    """They are named by their ids, for each is somebody else."""
    async with Worker(MemoryEngine()) as worker, worker.connect("Ann") as ann:
        await ann.expect(Presence)
        async with worker.connect("Bob") as bob:
            (_, there) = (await bob.expect(Presence)).joined
            assert there["info"] == {"name": "Bob"}
            assert await ann.expect(Presence) == joined(there)
            await bob.send(Leave())
            assert await ann.expect(Presence) == left(there)
            await bob.expect_nothing()


async def test_a_user_counts_once_for_members_and_each_session_for_the_server() -> None:
    """The second session of a user is no news."""
    async with (
        Worker(MemoryEngine()) as worker,
        worker.connect("Ann", "ann") as ann,
        worker.connect("Ann", "ann") as phone,
    ):
        assert await ann.expect(Presence) == joined(who("Ann"))
        assert await phone.expect(Presence) == joined(who("Ann"))
        assert [each.user for each in await worker.groups.members("tea")] == ["ann", "ann"]
        assert await worker.groups.count("tea") == 2
        await phone.send(Leave())
        await worker.client.clock.advance(5)
        assert await worker.groups.count("tea") == 1
        await ann.expect_nothing()


async def test_the_members_of_a_group() -> None:
    """What each gave is of the declared type again; the sessions come in the order in which they joined."""
    engine = MemoryEngine()
    begin = datetime.now(UTC)
    async with Worker(engine) as one, Worker(engine) as two, Worker(engine) as empty:
        async with one.connect("Ann", "ann") as ann, two.connect("Bob", "bob") as bob:
            await ann.expect(Presence)
            await ann.expect(Presence)
            await bob.expect(Presence)
            for worker in (one, two, empty):
                first, second = await worker.groups.members("tea")
                assert await worker.groups.count("tea") == 2
                assert first == Present(first.session, "ann", Who(name="Ann"), first.since)
                assert second == Present(second.session, "bob", Who(name="Bob"), second.since)
                assert begin <= first.since <= second.since <= datetime.now(UTC)
        assert await empty.groups.members("tea") == []


async def test_members_are_known_where_no_sessions_are() -> None:
    """In an HTTP route, and in a process that has nothing of the application but its declarations."""
    engine = MemoryEngine()
    declared = Group("room:{room}", presence=Who)

    async def members(request: Request) -> JSONResponse:
        return JSONResponse([each.info.name for each in await app.groups.members(f"room:{request.path_params['room']}")])

    app = App(engine=engine, groups=[declared], routes=[Route("/rooms/{room}", members)])

    @app.websocket("/{room}")
    async def endpoint(session: Session[Said, Said], room: str) -> None:
        await session.join(f"room:{room}", presence=Who(name="Ann"))
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/tea") as ann:
        await ann.expect(Presence)
        assert await asked(app, "/rooms/tea") == b'["Ann"]'
        assert await asked(app, "/rooms/pot") == b"[]"
        async with Publisher(engine, groups=[declared]) as groups:
            assert [each.info for each in await groups.members("room:tea")] == [Who(name="Ann")]
            assert await groups.count("room:pot") == 0
        assert await anyio.to_thread.run_sync(members_in_a_script, engine, declared) == ([Who(name="Ann")], 1)


def members_in_a_script(engine: MemoryEngine, declared: Group) -> tuple[list[Who], int]:
    """Who is there, as code without an event loop asks for it."""
    with Publisher(engine, groups=[declared]) as groups:
        return [each.info for each in groups.members("room:tea")], groups.count("room:tea")


async def asked(app: App, path: str) -> bytes:
    """The body of the answer to a GET."""
    events: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(event: Any) -> None:
        events.append(event)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return b"".join(event.get("body", b"") for event in events)


async def test_a_session_says_something_else_of_itself() -> None:
    """To join again with another presence changes it; members are told as of a join, and `since` stays."""
    engine = MemoryEngine()
    async with Worker(engine) as one, Worker(engine) as two, one.connect("Ann", "ann") as ann, two.connect("Bob", "bob") as bob:
        for _ in range(2):
            await ann.expect(Presence)
        await bob.expect(Presence)
        before = await two.groups.members("tea")
        await ann.send(Become(name="Anna"))
        assert await ann.expect(Presence) == joined(who("Anna", "ann"))
        assert await bob.expect(Presence) == joined(who("Anna", "ann"))
        after = await two.groups.members("tea")
        assert [each.info.name for each in after] == ["Anna", "Bob"]
        assert after[0].since == before[0].since
        await ann.send(Become(name="Anna"))
        await ann.expect_nothing()
        await bob.expect_nothing()


async def test_a_session_that_is_identified_when_it_is_in_the_group() -> None:
    """From then on it counts as its user's."""
    app = App(groups=[Group("tea", presence=Who)])

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea", presence=Who(name="Ann"))
        async for _ in session:
            await session.identify("ann")

    async with AsyncTestClient(app) as client, client.connect("/") as ann:
        (there,) = (await ann.expect(Presence)).joined
        assert "user" not in there
        await ann.send(Said(n=1))
        assert await ann.expect(Presence) == Presence("tea", [who("Ann")], [there])
        assert [each.user for each in await app.groups.members("tea")] == ["ann"]


async def test_a_group_that_announces_nothing() -> None:
    """No member is told anything; the server knows who is there."""
    engine = MemoryEngine()
    quiet = PresenceOf(Who, announce=False)
    async with Worker(engine, quiet) as one, Worker(engine, quiet) as two:
        async with one.connect("Ann", "ann") as ann, two.connect("Bob", "bob") as bob:
            await ann.expect_nothing()
            await bob.expect_nothing()
            await ann.send(Become(name="Anna"))
            await bob.send(Leave())
            await one.client.clock.advance(5)
            await ann.expect_nothing()
            await bob.expect_nothing()
            assert await one.names() == await two.names() == ["Anna"]
        assert await one.groups.count("tea") == 0


async def test_the_messages_of_a_group_are_numbered_without_its_presence() -> None:
    """Who comes and leaves makes no hole in a history: a client that comes back has all of it."""
    app = App(groups=[Group("tea", presence=Who, history=History(), sends=[Said])])

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea", presence=Who(name="Ann"))
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as peer:
            await peer.expect(Presence)
            await app.groups.publish("tea", Said(n=1))
            mark = (await peer.receive_json())["mark"]
        async with client.connect("/") as peer:
            await peer.expect(Presence)
        await app.groups.publish("tea", Said(n=2))
        async with client.connect("/", params={"recover": mark}) as peer:
            assert (await peer.expect(Recovered)).complete
            assert await peer.expect(Said) == Said(n=2)
            await peer.expect(Presence)


async def test_each_hears_in_its_own_codec() -> None:
    """JSON, MessagePack and JSON-RPC sessions are members of one group."""

    class Flat(Controller):
        protocol: Any = None

        @websocket("/flat")
        async def open(self, session: Session[Said, Said]) -> None:
            await session.identify("ann")
            await session.join("tea", presence=Who(name="Ann"))
            async for _ in session:
                pass

    class Calls(Flat):
        protocol = JsonRpc()

        @websocket("/calls")
        async def open(self, session: Session[Said, Said]) -> None:
            await super().open(session)

    app = App(controllers=[Flat, Calls], codecs=[JsonCodec(), MsgPackCodec()], groups=[Group("tea", presence=Who)])
    body = {"group": "tea", "joined": [who("Ann")], "left": []}
    async with (
        AsyncTestClient(app) as client,
        client.connect("/flat") as json,
        client.connect("/flat", subprotocols=["wsc.v1+msgpack"]) as packed,
        client.connect("/calls") as called,
    ):
        assert await json.receive_json() == {"type": "presence", **body}
        assert MsgPackCodec().load(await packed.receive_bytes()) == {"type": "presence", **body}
        assert await called.receive_json() == {"jsonrpc": "2.0", "method": "presence", "params": body}


async def refused(declared: Group, name: str, presence: Any) -> str:
    """What a join is refused with; a type and a text."""
    app = App(groups=[declared])
    failures: list[str] = []

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        try:
            await session.join(name, presence=presence)
        except (TypeError, ValueError) as error:
            failures.append(f"{type(error).__name__}: {error}")
        assert session.groups == frozenset()

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    return failures[0]


@pytest.mark.parametrize(
    ("name", "presence", "text"),
    [
        (
            "tea",
            None,
            "TypeError: Session.join('tea'): its presence is missing. Fix: give what the group declares: presence=Who(...).",
        ),
        ("tea", 3, "TypeError: Session.join('tea'): its presence is no Who"),
        ("pot", Who(name="Ann"), "ValueError: Session.join('pot'): the group has no presence. Fix: declare it"),
    ],
)
async def test_a_presence_that_does_not_fit(name: str, presence: Any, text: str) -> None:
    """It is refused before anything else happens: the session is not in the group."""
    assert (await refused(Group("tea", presence=Who), name, presence)).startswith(text)


async def test_a_group_without_presence_has_no_members_to_tell() -> None:
    """To ask for them is a mistake of the program, and no empty list."""
    app = App(groups=[Group("tea")])
    async with AsyncTestClient(app):
        for ask in (app.groups.members, app.groups.count):
            with pytest.raises(ValueError, match="it has no presence"):
                await ask("tea")


def test_a_lease_lasts() -> None:
    """A time that is none is refused."""
    for lease in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="Fix: give seconds above 0"):
            Groups(lease=lease)


async def test_the_type_of_what_members_gave() -> None:
    """A type checker knows it by the declaration, and from `members` if that is told; the wrong one is an error."""
    hall = PresenceOf(Who, announce=False)
    assert_type(hall, PresenceOf[Who])
    groups = Groups(None, [Group("hall", presence=hall)])
    assert_type(await groups.members("hall", Who), list[Present[Who]])
    with pytest.raises(TypeError, match=r"its presence is no int\. Fix: give "):
        await groups.members("hall", int)
    await groups.close()
