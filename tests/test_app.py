"""The application: what it puts together, and its life."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from wscontrollers import (
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Limits,
    Module,
    Session,
    WebSocket,
    WebSocketDisconnect,
    provider,
    register_controllers,
    singleton,
    websocket,
)
from wscontrollers.routing.hosting import host_of
from wscontrollers.testing import TestClient, WebSocketDenialResponse


class Pool:
    closed = False


class NeedsMissing:
    def __init__(self, missing: dict[str, int]) -> None: ...


async def thread_name(websocket: WebSocket) -> None: ...


def answer(app: Any, path: str = "/", **options: Any) -> Any:
    with TestClient(app) as client, client.websocket_connect(path, **options) as session:
        return session.receive_json()


class Resources(Module):
    def __init__(self, life: list[str]) -> None:
        self.life = life

    @singleton
    @provider
    async def pool(self) -> AsyncIterator[Pool]:
        self.life.append("pool opened")
        pool = Pool()
        yield pool
        pool.closed = True
        self.life.append("pool closed")


def test_resources_open_before_and_close_behind_the_lifespan() -> None:
    """App-tier resources are open in the application's own lifespan, and are closed behind it; an app can start twice."""
    life: list[str] = []

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        assert not app.container.get(Pool).closed
        life.append("started")
        yield
        assert not app.container.get(Pool).closed
        life.append("stopped")

    app = App(container=Container(Resources(life)), lifespan=lifespan)
    for _ in range(2):
        with TestClient(app):
            assert life == ["pool opened", "started"]
        assert life == ["pool opened", "started", "stopped", "pool closed"]
        life.clear()


def test_resources_open_at_first_use_without_a_lifespan() -> None:
    """Where no lifespan runs, a resource opens when the first session needs it."""
    life: list[str] = []
    app = App(container=Container(Resources(life)))

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, pool: Pool) -> None:
        await websocket.accept()
        await websocket.send_json(life)

    client = TestClient(app)
    with client.websocket_connect("/") as session:
        assert session.receive_json() == ["pool opened"]


def test_a_faulty_binding_stops_the_start_though_nobody_uses_it() -> None:
    """Validation at start-up looks at every binding."""

    class Faulty(Module):
        def configure(self, binder: Any) -> None:
            binder.bind(NeedsMissing)

    app = App(container=Container(Faulty()))
    with pytest.raises(DeclarationError, match="NeedsMissing"), TestClient(app):
        pass


def test_origins() -> None:
    """`origins` names pages of other hosts that may open sessions; all others of other hosts get 403."""
    app = App(origins=["https://chat.example"])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json("in")

    assert answer(app) == "in"
    assert answer(app, headers={"origin": "https://chat.example"}) == "in"
    with pytest.raises(WebSocketDenialResponse) as caught:
        answer(app, headers={"origin": "https://evil.example"})
    assert caught.value.status_code == 403


@pytest.mark.parametrize(("mode", "same"), [("thread", False), ("inline", True)])
def test_sync_dependencies(mode: Any, same: bool) -> None:
    """Plain functions run in worker threads, or in the event loop if the app says so; `Depends(thread=)` says it for one."""
    app = App(sync_dependencies=mode)

    def where() -> int:
        return threading.get_ident()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        by_app: int = Depends(where, use_cache=False),
        inline: int = Depends(where, use_cache=False, thread=False),
        threaded: int = Depends(where, use_cache=False, thread=True),
    ) -> None:
        here = threading.get_ident()
        await websocket.accept()
        await websocket.send_json([by_app == here, inline == here, threaded == here])

    assert answer(app) == [same, True, False]


def test_invalid_parameters_answered() -> None:
    """`invalid_parameters="answer"` gives the errors as HTTP 422."""
    app = App(invalid_parameters="answer")

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, limit: int) -> None: ...

    with pytest.raises(WebSocketDenialResponse) as caught:
        answer(app, "/?limit=x")
    assert caught.value.status_code == 422
    assert [error["loc"] for error in caught.value.json()["detail"]] == [["query", "limit"]]


def test_handlers_by_decorator() -> None:
    """`@app.exception_handler` returns the handler and registers it."""
    app = App()

    async def handle(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(4000)

    assert app.exception_handler(KeyError)(handle) is handle

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        raise KeyError

    with pytest.raises(WebSocketDisconnect) as caught:
        answer(app)
    assert caught.value.code == 4000


def test_two_apps_are_apart() -> None:
    """Overrides of one app's container, and its dependency overrides, never reach another app with the same controllers."""

    class Rooms(Controller):
        def __init__(self, pool: Pool) -> None:
            self.pool = pool

        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_json(self.pool.closed)

    class ClosedPool(Pool):
        closed = True

    one, two = App(controllers=[Rooms]), App(controllers=[Rooms])
    with one.container.override(Pool, ClosedPool()):
        assert [answer(one), answer(two)] == [True, False]


def test_plain_starlette_parts() -> None:
    """`websocket_route`, `add_route`, `mount`, `state` and `url_path_for` are Starlette's."""
    app = App()
    app.state.greeting = "hello"

    @app.websocket_route("/raw", name="raw")
    async def raw(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.app.state.greeting)

    app.add_websocket_route("/again", raw)
    assert app.url_path_for("raw") == "/raw"
    assert [answer(app, "/raw"), answer(app, "/again")] == ["hello", "hello"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"sync_dependencies": "threads"},
            r"App\(sync_dependencies=\.\.\.\): it is 'threads'\. Fix: use \"thread\" or \"inline\"",
        ),
        ({"invalid_parameters": "422"}, r"App\(invalid_parameters=\.\.\.\): it is '422'"),
        ({"container": Module()}, r"App\(container=\.\.\.\): it is .*Fix: give a Container"),
        ({"limits": 5}, r"App\(limits=\.\.\.\): it is 5\. Fix: write limits=Limits"),
        ({"controllers": Controller}, r"App\(controllers=\.\.\.\): it is .*Fix: write controllers=\[Rooms\]"),
        ({"routes": [Controller]}, r"routes=\[\.\.\.\]: Controller is no route\. Fix: give routes"),
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], told: str) -> None:
    """A misspelt option is an error, not another behaviour."""
    with pytest.raises(DeclarationError, match=told):
        App(**options)


def test_resources_of_an_event_loop_that_has_ended_are_opened_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Without a lifespan each client has an event loop of its own: the second gets no resource of the first, but a warning."""
    life: list[str] = []
    app = App(container=Container(Resources(life)))

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, pool: Pool) -> None:
        await websocket.accept()
        await websocket.send_json(pool.closed)

    for _ in range(2):
        with TestClient(app).websocket_connect("/") as session:
            assert session.receive_json() is False
    assert life.count("pool opened") == 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("direct", [True, False])
def test_frames_go_past_the_server_unless_it_is_said_that_they_must_not(direct: bool) -> None:
    """By the application, or where controllers are registered on another one; its routes are told."""
    other = Starlette()
    register_controllers(other, direct=direct)
    for app in (App(direct=direct), other):
        host = host_of({"app": app})
        assert host is not None
        assert host.direct is direct


def test_a_function_of_the_app_takes_limits_and_accept() -> None:
    """They go to its router with all the rest."""
    app = App()

    @app.websocket("/a", accept=False, limits=Limits(inbox=3))
    async def accepting(session: Session[Any, Any]) -> None:
        await session.accept()
        await session.send(str(session.limits.inbox))

    async def other(session: Session[Any, Any]) -> None:
        await session.send(str(session.limits.inbox))

    app.add_api_websocket_route("/b", other, limits=Limits(inbox=4))
    with TestClient(app) as client:
        for path, inbox in (("/a", "3"), ("/b", "4")):
            with client.websocket_connect(path) as session:
                assert session.receive_text() == inbox
