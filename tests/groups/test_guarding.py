"""Who may join a group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import StringConstraints

from wscontrollers import App, Container, DeclarationError, Denied, Depends, Message, Session
from wscontrollers.groups import Group, group
from wscontrollers.testing import AsyncTestClient


class Join(Message):
    group: str


class Rights:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def may(self, room: str) -> bool:
        self.asked.append(room)
        return room != "secret"


def serving(*groups: object, rights: Rights | None = None) -> App:
    app = App(groups=groups, container=Container(rights or Rights()))  # type: ignore[arg-type]

    @app.websocket("/")
    async def endpoint(session: Session[Join, Join]) -> None:
        async for message in session:
            try:
                await session.join(message.group)
            except Denied as denied:
                await session.reply(message, Join(group=f"{denied.status_code} {denied.detail}"))
            else:
                await session.reply(message, Join(group="in"))

    return app


async def test_a_guard_has_what_an_endpoint_has() -> None:
    """Parameters of the pattern, services, dependencies with clean-ups, the session; what it raises refuses the join."""
    steps: list[str] = []

    async def watched(session: Session) -> AsyncIterator[str]:
        steps.append("open")
        try:
            yield session.id
        finally:
            steps.append("close")

    @group("room:{room}")
    async def room(room: str, rights: Rights, session: Session, seen: str = Depends(watched)) -> None:
        assert seen == session.id
        if not rights.may(room):
            raise Denied(403, "not yours")

    rights = Rights()
    app = serving(room, rights=rights)
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.request(Join(group="room:tea")) == Join(group="in")
        assert await peer.request(Join(group="room:secret")) == Join(group="403 not yours")
        assert await peer.request(Join(group="elsewhere")) == Join(group="in")
        assert (await app.groups.publish("room:secret", Join(group="x"))).delivered == 0
    assert rights.asked == ["tea", "secret"]
    assert steps == ["open", "close"] * 2


async def test_parameters_are_validated() -> None:
    """A name whose parameters are not of their types is no group."""

    @group("page:{number}")
    async def page(number: int) -> None:
        assert number == 7

    async with AsyncTestClient(serving(page)) as client, client.connect("/") as peer:
        assert await peer.request(Join(group="page:7")) == Join(group="in")
        assert await peer.request(Join(group="page:seven")) == Join(group="403 no such group")


async def test_dependencies_guard_alone_and_can_be_overridden() -> None:
    """A declaration without a guard has its dependencies; tests put others in their place."""

    async def nobody() -> None:
        raise Denied(401, "who are you")

    app = serving(Group("news", dependencies=[Depends(nobody)]))
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.request(Join(group="news")) == Join(group="401 who are you")

        async def anybody() -> None: ...

        app.dependency_overrides[nobody] = anybody
        assert await peer.request(Join(group="news")) == Join(group="in")


async def test_a_guard_that_can_never_be_filled_fails_at_the_start() -> None:
    """Where, what and how to mend it, before any client comes."""

    @group("room:{room}")
    async def room(room: str, other: Join) -> None: ...

    with pytest.raises(DeclarationError, match="other"):
        serving(room)


@pytest.mark.parametrize("name", ["a:b", "a:", "", ":"])
async def test_no_text_of_a_client_passes_a_guard_by(name: str) -> None:
    """What is put behind the head of a declared name is the guard's to see, or nobody can join."""

    @group("room:{room}")
    async def room(room: str) -> None:
        raise Denied(403, f"guarded {room}")

    @group("page:{book}:{page}")
    async def page(book: str, page: str) -> None:
        raise Denied(403, f"guarded {page}")

    async with AsyncTestClient(serving(room, page)) as client, client.connect("/") as peer:
        refused = [await peer.request(Join(group=head + name)) for head in ("room:", "page:")]
    assert all(each.group.startswith(("403 guarded", "403 no such group")) for each in refused)


async def test_a_guard_that_asks_for_what_is_not_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The client is told what it is told of any group; the log says what the program has to mend."""

    @group("room:{room}")
    async def room(room: str, token: int) -> None: ...

    async with AsyncTestClient(serving(room)) as client, client.connect("/") as peer:
        assert await peer.request(Join(group="room:a")) == Join(group="403 no such group")
    assert "('query', 'token')" in caplog.text


class Colour(Enum):
    RED = "red"


async def half(number: int) -> int:
    """A dependency that takes a parameter of the name too."""
    return number // 2


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (int, ["7", "-7"], ["07", " 7", "7 ", "+7", "7.0", "1_0", "٧"]),
        (bool, ["true", "false"], ["True", "1", "yes"]),
        (float, ["0.5"], [".5", "0.50", "5e-1"]),
        (Colour, ["red"], []),
        (UUID, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ["6BA7B810-9DAD-11D1-80B4-00C04FD430C8"]),
        (Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True)], ["tea"], ["Tea", "tea "]),
        (str, ["07", " 7"], []),
    ],
)
async def test_a_name_is_written_in_one_way(annotation: Any, right: list[str], wrong: list[str]) -> None:
    """Two names that mean one thing to a guard would be two groups, and what is published to one is not heard in the other."""

    async def guard(number: Any) -> None: ...

    guard.__annotations__["number"] = annotation
    async with AsyncTestClient(serving(group("page:{number}")(guard))) as client, client.connect("/") as peer:
        for text in right:
            assert await peer.request(Join(group=f"page:{text}")) == Join(group="in")
        for text in wrong:
            assert await peer.request(Join(group=f"page:{text}")) == Join(group="403 no such group")


async def test_what_a_dependency_takes_of_a_name_is_written_in_one_way() -> None:
    """It is asked as the guard is."""
    declared = Group("page:{number}", dependencies=[Depends(half)])
    async with AsyncTestClient(serving(declared)) as client, client.connect("/") as peer:
        assert await peer.request(Join(group="page:7")) == Join(group="in")
        assert await peer.request(Join(group="page:07")) == Join(group="403 no such group")
