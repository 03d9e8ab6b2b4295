"""What a session asks of the groups that it is in."""

from __future__ import annotations

import pytest

from wscontrollers import App, Limits, Message, Session
from wscontrollers.groups import Group, History
from wscontrollers.session.memberships import Joined
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


async def test_joining_tells_where_the_group_stands() -> None:
    """A mark for groups with a history, and whether the client was given what it asked for; joining again changes nothing."""
    app = App(groups=[Group("kept", history=History())])
    joined: list[Joined] = []

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        joined.extend([await session.join("plain"), await session.join("kept"), await session.join("kept")])
        assert session.groups == {"plain", "kept"}
        await session.leave("plain")
        await session.leave("never joined")
        assert session.groups == {"kept"}

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    assert joined[0] == Joined("plain")
    assert joined[1] == joined[2]
    assert joined[1].mark is not None
    assert joined[1].recovered is None


async def test_a_session_is_in_so_many_groups_at_most() -> None:
    """The limit is one of the session's limits; a group that it left counts no more."""
    app = App(limits=Limits(groups=2))
    failures: list[str] = []

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.identify("ann")  # that is no group of its own
        await session.join("a")
        await session.join("b")
        try:
            await session.join("c")
        except ValueError as error:
            failures.append(str(error))
        await session.leave("a")
        await session.join("c")

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    assert failures == [
        "Session.join(): the session is in 2 groups already. Fix: leave some, or raise the limit: Limits(groups=...)."
    ]


async def test_a_session_has_one_user() -> None:
    """Saying the same again is nothing; another one, and an empty one, is refused."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        assert session.user is None
        with pytest.raises(ValueError, match="it is empty"):
            await session.identify("")
        await session.identify("ann")
        await session.identify("ann")
        assert session.user == "ann"
        with pytest.raises(ValueError, match="has a user already"):
            await session.identify("bob")

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)


async def test_groups_are_joined_by_sessions_that_are_accepted() -> None:
    """Nothing could be sent to it before."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None: ...

    async def early(session: Session[Said, Said]) -> None:
        with pytest.raises(RuntimeError, match="the handshake is not accepted"):
            await session.join("a")

    from wscontrollers import Depends

    app.add_api_websocket_route("/early", endpoint, dependencies=[Depends(early)])
    async with AsyncTestClient(app) as client, client.connect("/early") as peer:
        await peer.expect_closed(1000)
