"""Controllers on an application that is no `App`, by the same options."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from wscontrollers import (
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Module,
    WebSocket,
    provider,
    register_controllers,
    websocket,
)
from wscontrollers.testing import TestClient


class Store:
    """A service without a constructor."""


def answer(app: Any, path: str) -> Any:
    """The JSON that the endpoint sends first."""
    with TestClient(app) as client, client.websocket_connect(path) as session:
        return session.receive_json()


async def say(socket: WebSocket, value: Any) -> None:
    """Accept, and send one value."""
    await socket.accept()
    await socket.send_json(value)


def test_registered_on_plain_starlette() -> None:
    """`register_controllers` serves controllers from a plain Starlette application, with the container's life in its own."""
    life: list[str] = []

    class Resources(Module):
        @provider
        async def store(self) -> AsyncIterator[Store]:
            life.append("open")
            yield Store()
            life.append("closed")

    class Rooms(Controller):
        def __init__(self, store: Store) -> None: ...

        @websocket("/rooms")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, "here")

    app = Starlette(routes=[Route("/health", lambda request: None)])  # type: ignore[arg-type, return-value]
    container = register_controllers(app, Rooms, container=Container(Resources()), prefix="/api")
    assert isinstance(container, Container)
    assert answer(app, "/api/rooms") == "here"
    assert len(app.routes) == 2
    assert life == ["open", "closed"]


def test_registered_on_fastapi() -> None:
    """On a real FastAPI application the routes live beside its own, and its `dependency_overrides` are obeyed."""
    fastapi = pytest.importorskip("fastapi")
    host = fastapi.FastAPI()

    @host.get("/hello")
    def hello() -> str:
        return "http"

    @host.websocket("/own")
    async def own(socket: WebSocket) -> None:
        await say(socket, "own")

    async def who() -> str:
        return "nobody"

    class Rooms(Controller):
        @websocket("/rooms")
        async def open(self, socket: WebSocket, name: str = Depends(who)) -> None:
            await say(socket, name)

    before = list(host.router.routes)
    register_controllers(host, Rooms)
    assert host.router.routes[: len(before)] == before
    assert answer(host, "/rooms") == "nobody"
    assert answer(host, "/own") == "own"
    host.dependency_overrides[who] = lambda: "ann"
    assert answer(host, "/rooms") == "ann"
    with TestClient(host) as client:
        assert client.get("/hello").json() == "http"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"container": Module()}, r"\(container=\.\.\.\): it is .*Fix: give a Container"),
        ({"sync_dependencies": "threads"}, r"\(sync_dependencies=\.\.\.\): it is 'threads'\. Fix: use \"thread\" or \"inline\""),
        ({"limits": 5}, r"\(limits=\.\.\.\): it is 5\. Fix: write limits=Limits"),
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], told: str) -> None:
    """The same for any application; each error names who was given the option."""
    app = Starlette()
    with pytest.raises(DeclarationError, match="register_controllers" + told):
        register_controllers(app, **options)
    assert app.routes == []
    with pytest.raises(DeclarationError, match="App" + told):
        App(**options)
