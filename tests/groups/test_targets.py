"""Whom a publication or an order is for."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import App, Message, Session
from wscontrollers.groups.targets import excluded, target_of
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


async def test_a_session_stands_for_its_id() -> None:
    """It can be given as itself, alone or among others, or by its id."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        assert target_of(session) == f"session:{session.id}"
        for who in (session, [session], f"session:{session.id}", session.id):
            assert excluded(who) == {session.id}
        assert excluded([session, "session:other", "user:ann"]) == {session.id, "other", "user:ann"}

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    assert excluded(()) == frozenset()


@pytest.mark.parametrize("who", ["session:1", "user:ann"])
def test_texts_say_what_they_name(who: str) -> None:
    """A session or a user; anything else is nobody."""
    assert target_of(who) == who
    with pytest.raises(ValueError, match=r"is nobody. Fix: give a session"):
        target_of(who.partition(":")[2])


@pytest.mark.parametrize("who", ["nonsense", "", "user:", "session:", "g:tea", 5, ["user:ann", "nonsense"], [None]])
def test_who_is_nobody_is_not_left_out(who: Any) -> None:
    """It is an error, and no publication that goes to whom it should not."""
    with pytest.raises(ValueError, match=r"is nobody. Fix: give a session"):
        excluded(who)
