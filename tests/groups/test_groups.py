"""`Groups`: publish to named sets of sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from wscontrollers import App, Controller, DeclarationError, Message, Session, receive, websocket
from wscontrollers.groups import EngineState, Groups, MemoryEngine, Published
from wscontrollers.session import Ended
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    text: str


class Rooms(Controller):
    sends = (Said,)

    def __init__(self, groups: Groups) -> None:
        self.groups = groups

    @websocket("/{room}")
    async def open(self, session: Session, room: str, user: str | None = None) -> AsyncIterator[None]:
        self.session = session
        await session.join(f"room:{room}")
        if user is not None:
            await session.identify(user)
        yield

    @receive
    async def say(self, message: Say, room: str) -> None:
        await self.groups.publish(f"room:{room}", Said(text=message.text), exclude=self.session)


async def test_a_message_reaches_the_members_of_its_group_and_nobody_else() -> None:
    """All sessions that joined hear it, save those that are excluded; other groups hear nothing."""
    async with (
        AsyncTestClient(App(controllers=[Rooms])) as client,
        client.connect("/tea") as ann,
        client.connect("/tea") as bob,
        client.connect("/pot") as eve,
    ):
        await ann.send(Say(text="hi"))
        assert await bob.expect(Said) == Said(text="hi")
        await ann.expect_nothing()
        await eve.expect_nothing()


async def test_publishing_tells_what_is_known() -> None:
    """Within one process that is how many sessions were handed the message."""
    app = App(controllers=[Rooms])
    async with AsyncTestClient(app) as client, client.connect("/tea") as ann:
        await ann.expect_nothing()
        assert await app.groups.publish("room:tea", Said(text="a")) == Published(1, 0)
        assert await app.groups.publish("room:other", Said(text="a")) == Published(0, 0)
        await ann.expect(Said)


async def test_who_left_hears_nothing_more() -> None:
    """A session leaves by itself, or by its end."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.join("tea")
        assert session.groups == {"tea"}
        async for _ in session:
            await session.leave("tea")
            assert session.groups == frozenset()

    async with AsyncTestClient(app) as client:
        async with client.connect("/") as ann, client.connect("/") as bob:
            await ann.send(Say(text="leave"))
            await ann.expect_nothing()
            assert (await app.groups.publish("tea", Said(text="a"))).delivered == 1
            await bob.expect(Said)
        assert (await app.groups.publish("tea", Said(text="a"))).delivered == 0


async def test_a_user_is_reached_wherever_he_is() -> None:
    """Sessions that identified as a user are one group; within another group a message can be for them alone."""
    app = App(controllers=[Rooms])
    async with (
        AsyncTestClient(app) as client,
        client.connect("/tea?user=ann") as ann,
        client.connect("/pot?user=ann") as phone,
        client.connect("/tea?user=bob") as bob,
    ):
        await bob.expect_nothing()
        assert (await app.groups.publish("user:ann", Said(text="for ann"))).delivered == 2
        await ann.expect(Said)
        await phone.expect(Said)
        await app.groups.publish("room:tea", Said(text="in the room"), to="user:ann")
        await ann.expect(Said)
        await phone.expect_nothing()
        await bob.expect_nothing()


async def test_a_user_is_disconnected_wherever_he_is() -> None:
    """All sessions of a user end with the code; the others go on."""
    ended: list[Ended | None] = []

    class Ending(Rooms):
        @websocket("/{room}")
        async def open(self, session: Session, room: str, user: str) -> AsyncIterator[None]:
            await session.identify(user)
            yield
            ended.append(session.ended)

    app = App(controllers=[Ending])
    async with AsyncTestClient(app) as client, client.connect("/a?user=ann") as ann, client.connect("/b?user=bob") as bob:
        await bob.expect_nothing()
        await app.groups.disconnect("user:ann", 4003, "banned")
        assert await ann.expect_closed(4003) == "banned"
        await bob.expect_nothing()
    assert ended[0] == Ended("server", 4003, "banned")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 200, "user:ann", "session:1"])
async def test_a_name_is_checked(name: str) -> None:
    """It is printable, neither empty nor long, and stands for no user or session."""
    app = App()
    failures: list[str] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            await session.join(name)
        except ValueError as error:
            failures.append(str(error))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    assert "Fix:" in failures[0]


@pytest.mark.parametrize(("engine", "fix"), [(5, "give a URL"), (MemoryEngine, r"make one: engine=MemoryEngine\(")])
def test_what_is_no_engine(engine: Any, fix: str) -> None:
    """It is told where it is given, and not when somebody connects."""
    with pytest.raises(DeclarationError, match=rf"engine=\.\.\.: .* is no engine\. Fix: {fix}"):
        App(engine=engine)


def test_a_hook_that_nobody_would_await() -> None:
    """It is refused when it is given; any plain callable is one."""
    groups = Groups()

    async def changed(state: EngineState) -> None: ...

    with pytest.raises(DeclarationError, match=r"is not a plain function\. Fix: write \"def\""):
        groups.on_state(changed)
    groups.on_state([].append)
