"""What the asynchronous client shows of the application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Annotated

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.testing.lines import every_line
from wscontrollers import App, Controller, Depends, websocket
from wscontrollers.testing import AsyncTestClient

pytestmark = pytest.mark.anyio


class Clock:
    def now(self) -> str:
        return "late"


class StoppedClock(Clock):
    def now(self) -> str:
        return "early"


def user() -> str:
    return "ann"


class Greeter(Controller):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    @websocket("/")
    async def greet(self, websocket: WebSocket, name: Annotated[str, Depends(user)]) -> None:
        await websocket.accept()
        await websocket.send_text(f"{name} is {self.clock.now()}")


@every_line
async def test_container_and_overrides_are_at_hand(is_real: bool) -> None:
    """Services and dependencies are replaced through the client, in memory and behind a server."""
    async with AsyncTestClient(App(controllers=[Greeter]), real=is_real) as client:
        client.dependency_overrides[user] = lambda: "bob"
        with client.container.override(Clock, StoppedClock()):
            async with client.connect("/") as session:
                assert await session.receive_text() == "bob is early"
        async with client.connect("/") as session:
            assert await session.receive_text() == "bob is late"


async def test_an_application_without_a_container_is_told() -> None:
    """The error says what to give the client."""
    client = AsyncTestClient(Starlette())
    with pytest.raises(AttributeError, match=r"AsyncTestClient\.container: the application, of type Starlette, .* Fix: "):
        _ = client.container
    with pytest.raises(AttributeError, match=r"AsyncTestClient\.dependency_overrides"):
        _ = client.dependency_overrides


@every_line
async def test_sessions_see_the_state_of_the_lifespan(is_real: bool) -> None:
    """The same objects, in a mapping of their own."""
    pool = ["one"]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        yield {"pool": pool}

    async def endpoint(websocket: WebSocket) -> None:
        assert websocket.state.pool is pool
        websocket.state.mine = "mine"
        await websocket.accept()
        await websocket.send_json(list(websocket.scope["state"]))
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)], lifespan=lifespan)
    async with AsyncTestClient(app, real=is_real) as client:
        for _ in range(2):
            async with client.connect("/") as session:
                assert await session.receive_json() == ["pool", "mine"]


async def test_the_context_of_the_test_is_that_of_the_session() -> None:
    """Context variables that the test sets are seen by the endpoint, as nothing is between them."""
    variable: ContextVar[str] = ContextVar("variable")

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(variable.get())
        await websocket.close()

    async with AsyncTestClient(Starlette(routes=[WebSocketRoute("/", endpoint)])) as client:
        variable.set("the test's")
        async with client.connect("/") as session:
            assert await session.receive_text() == "the test's"


async def test_who_connects_must_have_entered() -> None:
    """The error says how."""
    with pytest.raises(RuntimeError, match=r"was not started. Fix: async with AsyncTestClient\(app\) as client"):
        AsyncTestClient(Starlette()).connect("/")


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_a_real_server_needs_asyncio() -> None:
    """uvicorn has no other loop; the lifespan that had started ends."""
    steps: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        steps.append("end")

    with pytest.raises(RuntimeError, match=r"real=True\): uvicorn runs on asyncio only. Fix: "):
        async with AsyncTestClient(Starlette(lifespan=lifespan), real=True):
            pass


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_real_session_has_a_real_peer() -> None:
    """Address and port are those of the socket."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(list(websocket.scope["client"]))
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    async with AsyncTestClient(app, real=True) as client, client.connect("/") as session:
        address, port = await session.receive_json()
        assert address == "127.0.0.1"
        assert port > 0
