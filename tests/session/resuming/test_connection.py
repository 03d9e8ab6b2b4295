"""One connection: where it comes from, and whether its peer left or was lost."""

from __future__ import annotations

from functools import partial
from queue import Queue
from typing import Any

import anyio
import pytest
from anyio import to_thread
from websockets.asyncio.client import connect

from tests.serving import serving
from wscontrollers import App, Controller, Resume, Session, websocket
from wscontrollers.session.resuming.connection import Connection


async def nothing(*_: Any) -> Any:
    """ASGI's receive and send, of which none is called."""


@pytest.mark.parametrize(("code", "has_left"), [(1000, True), (1001, True), (4000, True), (1009, True), (1006, False)])
async def test_a_close_is_no_loss(code: int, has_left: bool) -> None:
    """What a close frame said is meant; a broken connection, an unanswered ping and the end of a server are losses."""
    connection = Connection({}, nothing, nothing)

    assert connection.has_left({"type": "websocket.disconnect", "code": code}) is has_left
    for lost in (1005, 1011, 1012):
        assert not connection.has_left({"type": "websocket.disconnect", "code": lost})


@pytest.mark.parametrize(("has_closed", "code"), [(True, 1005), (False, 1006), (None, 1005)])
async def test_a_loss_is_told_by_its_own_code(has_closed: bool | None, code: int) -> None:
    """A session that cannot wait for its client ends with what happened; where nobody knows, with what the server said."""

    class Server:
        has_peer_closed = has_closed

        async def send(self, event: Any) -> None: ...

    connection = Connection({}, nothing, Server().send)
    event = {"type": "websocket.disconnect", "code": 1005, "reason": ""}
    assert connection.told(event) == {**event, "code": code}
    assert connection.told({**event, "code": 4000})["code"] == 4000


async def test_it_knows_where_it_comes_from() -> None:
    """The page, and the path with that of the mounts."""
    scope = {"headers": [(b"host", b"h"), (b"origin", b"https://a")], "path": "/m/room", "root_path": "/m"}

    connection = Connection(scope, nothing, nothing)

    assert (connection.origin, connection.place) == (b"https://a", ("/m", "/m/room"))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # a real uvicorn
@pytest.mark.parametrize(("leaves", "fact"), [("by a close", "client"), ("by a loss", "away")])
async def test_a_close_without_a_code_is_told_from_a_loss(leaves: str, fact: str) -> None:
    """Uvicorn reports both as 1005; what it received of the peer says which it was."""
    facts: Queue[str] = Queue()

    class Rooms(Controller):
        resume = Resume(30)

        @websocket("/")
        async def enter(self, session: Session[Any, Any]) -> None:
            session.start_soon(self.watch, session)
            async for _ in session:
                pass
            assert session.ended is not None
            facts.put(session.ended.by)

        async def watch(self, session: Session[Any, Any]) -> None:
            while session.is_connected:  # noqa: ASYNC110 - nothing is set when a client is away
                await anyio.sleep(0.01)
            if session.ended is None:
                facts.put("away")

    with serving(App(controllers=[Rooms])) as address:
        client = await connect(f"ws://{address}/")
        await client.recv()
        if leaves == "by a close":
            client.protocol.send_close()
            client.transport.write(b"".join(client.protocol.data_to_send()))
        else:
            client.transport.abort()

        assert await to_thread.run_sync(partial(facts.get, timeout=5)) == fact
