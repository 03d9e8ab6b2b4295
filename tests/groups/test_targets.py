"""Whom a publication or an order is for."""

from __future__ import annotations

import pytest

from wscontrollers import App, Message, Session
from wscontrollers.groups.targets import ids_of, target_of
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


async def test_a_session_stands_for_its_id() -> None:
    """It can be given as itself, alone or among others, or by its id."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        assert target_of(session) == f"session:{session.id}"
        assert ids_of(session) == ids_of([session]) == ids_of(f"session:{session.id}") == {session.id}
        assert ids_of([session, "other"]) == {session.id, "other"}

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)
    assert ids_of(()) == frozenset()


@pytest.mark.parametrize("who", ["session:1", "user:ann"])
def test_texts_say_what_they_name(who: str) -> None:
    """A session or a user; anything else is nobody."""
    assert target_of(who) == who
    with pytest.raises(ValueError, match=r"is nobody. Fix: give a session"):
        target_of(who.partition(":")[2])
