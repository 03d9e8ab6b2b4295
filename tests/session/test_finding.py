"""Finding a session by its id."""

from __future__ import annotations

from wscontrollers import App, Message, Session
from wscontrollers.session.finding import find_session
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    text: str


async def test_a_session_is_found_while_it_runs() -> None:
    """By the id that somebody asked it for; nobody else has that."""
    app, ids = App(), list[str]()

    @app.websocket("/{name}")
    async def endpoint(session: Session[Said, Said], name: str) -> None:
        if name == "ann":
            ids.append(session.id)
        async for _ in session:
            pass

    assert find_session("nobody") is None
    async with AsyncTestClient(app) as client, client.connect("/bob") as bob:
        async with client.connect("/ann") as ann:
            await ann.expect_nothing()
            found = find_session(ids[0])
            assert found is not None
            assert found.id == ids[0]
            assert find_session("nobody") is None
        await bob.expect_nothing()
        assert find_session(ids[0]) is None
