"""What processes tell each other."""

from __future__ import annotations

import logging

import pytest

from wscontrollers import App, Message, Session
from wscontrollers.groups import Groups, MemoryEngine
from wscontrollers.groups.control import Disconnect
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


def serving() -> App:
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("a")
        async for message in session:
            await app.groups.disconnect(session, 4000 + message.n, "enough")

    return app


async def test_a_session_is_ended_by_its_id() -> None:
    """It alone; its code and reason are those of the order."""
    async with AsyncTestClient(serving()) as client, client.connect("/") as ann, client.connect("/") as bob:
        await bob.expect_nothing()
        await ann.send(Said(n=7))
        assert await ann.expect_closed(4007) == "enough"
        await bob.expect_nothing()


async def test_what_is_no_order_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A process of another release, or somebody else, publishes to the same channel: that is a line in the log."""
    app = serving()
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        hub = app.groups._hub()
        connection = await hub.open()
        with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
            await connection.publish("c:everybody", b"nonsense")
        assert "was not understood" in caplog.text
        await peer.expect_nothing()


@pytest.mark.parametrize("who", ["ann", "room:tea", ""])
async def test_somebody_has_to_be_meant(who: str) -> None:
    """A session or a user; anything else is a mistake of the program."""
    groups = Groups(MemoryEngine())
    with pytest.raises(ValueError, match='"session:" and its id, or "user:" and an id'):
        await groups.disconnect(who)
    assert Disconnect("user:ann", 4000, 1.5).encode() == b'{"who":"user:ann","code":4000,"at":1.5,"reason":""}'


@pytest.mark.parametrize("code", [42, 1005, 1006, 1015, 2000, 5000])
async def test_a_code_that_cannot_be_sent_is_refused_where_it_is_said(code: int) -> None:
    """In the sessions it would be a bug of each of them, at its end."""
    with pytest.raises(ValueError, match=rf"Groups.disconnect\(\): {code} is no code .*Fix: "):
        await Groups(MemoryEngine()).disconnect("user:ann", code)
