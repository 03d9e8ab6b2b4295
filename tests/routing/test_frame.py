"""The frame around an endpoint: what runs when, what clean-ups see, and what the peer gets in the end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from wscontrollers import (
    App,
    Container,
    Depends,
    Module,
    ProviderOf,
    WebSocket,
    WebSocketDisconnect,
    get_dependant,
    get_websocket_app,
    provider,
    session_scoped,
    solve_dependencies,
    websocket_session,
)
from wscontrollers.exceptions import ContainerClosedError
from wscontrollers.security.origins import OriginPolicy
from wscontrollers.testing import TestClient, WebSocketDenialResponse


class Failure(Exception):
    pass


class Connection:
    """A resource of one session."""


def run(app: Any, path: str = "/") -> None:
    with TestClient(app) as client, client.websocket_connect(path) as session, pytest.raises(WebSocketDisconnect):
        session.receive_text()


def test_function_scope_leaves_before_request_scope() -> None:
    """Behind the endpoint the clean-ups of scope "function" run first, then the others, each in reverse."""
    order: list[str] = []

    def step(name: str, **options: Any) -> Any:
        async def enter() -> AsyncIterator[None]:
            yield
            order.append(name)

        return Depends(enter, **options)

    app = App()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        a: None = step("request 1"),
        b: None = step("function 1", scope="function"),
        c: None = step("request 2", scope="request"),
        d: None = step("function 2", scope="function"),
    ) -> None:
        await websocket.accept()
        order.append("endpoint")

    run(app)
    assert order == ["endpoint", "function 2", "function 1", "request 2", "request 1"]


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_clean_ups_see_the_exception_of_the_endpoint(kind: str) -> None:
    """A generator, async or plain, has the endpoint's exception raised at its yield and may replace it."""

    class Replaced(Exception):
        pass

    async def asynchronous() -> AsyncIterator[None]:
        try:
            yield
        except Failure as error:
            raise Replaced from error

    def plain() -> Iterator[None]:
        try:
            yield
        except Failure as error:
            raise Replaced from error

    app = App()

    @app.websocket("/", dependencies=[Depends(plain if kind == "plain" else asynchronous)])
    async def endpoint(websocket: WebSocket) -> None:
        raise Failure

    with TestClient(app) as client, pytest.raises(Replaced):
        client.websocket_connect("/").__enter__()


def test_a_dependency_can_swallow_the_exception() -> None:
    """A generator that catches and does not raise ends the session well: 1000."""

    async def swallowing() -> AsyncIterator[None]:
        try:
            yield
        except Failure:
            pass

    app = App()

    @app.websocket("/", dependencies=[Depends(swallowing)])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Failure

    with TestClient(app) as client, client.websocket_connect("/") as session, pytest.raises(WebSocketDisconnect) as caught:
        session.receive_text()
    assert caught.value.code == 1000


def test_every_clean_up_runs_whatever_the_others_raise() -> None:
    """A clean-up that raises keeps none of the others from running."""
    order: list[str] = []

    def step(name: str) -> Any:
        async def enter() -> AsyncIterator[None]:
            try:
                yield
            finally:
                order.append(name)
                raise Failure(name)

        return Depends(enter)

    app = App(dependencies=[step("first"), step("second")])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, third: None = step("third")) -> None: ...

    with TestClient(app) as client, pytest.raises(Failure, match="first"):
        client.websocket_connect("/").__enter__()
    assert order == ["third", "second", "first"]


def test_services_clean_up_in_order_with_dependencies() -> None:
    """Services and dependencies of one session are on one stack: what was made last is cleaned up first."""
    order: list[str] = []

    class Services(Module):
        @session_scoped
        @provider
        async def connection(self) -> AsyncIterator[Connection]:
            yield Connection()
            order.append("service")

    def step(name: str) -> Any:
        async def enter() -> AsyncIterator[None]:
            yield
            order.append(name)

        return Depends(enter)

    app = App(container=Container(Services()))

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        *,
        before: None = step("before"),
        connection: Connection,
        behind: None = step("behind"),
    ) -> None:
        await websocket.accept()

    run(app)
    assert order == ["behind", "service", "before"]


async def test_clean_ups_are_shielded_from_cancellation() -> None:
    """When the server cancels a session, clean-ups that await run to their end, also those that hold a task group open."""
    order: list[str] = []
    started = anyio.Event()

    async def slow() -> AsyncIterator[None]:
        async with anyio.create_task_group():
            try:
                yield
            finally:
                await anyio.lowlevel.checkpoint()
                order.append("cleaned up")

    async def endpoint(websocket: WebSocket, it: None = Depends(slow)) -> None:
        started.set()
        await anyio.sleep_forever()

    app = websocket_session(get_websocket_app(get_dependant(path="/", call=endpoint)))

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        order.append(message["type"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, {"type": "websocket", "path": "/", "headers": [], "query_string": b""}, receive, send)
        await started.wait()
        tasks.cancel_scope.cancel()
    assert order == ["cleaned up"]


@pytest.mark.parametrize("cleans_up", [False, True])
def test_nothing_lazy_is_had_from_a_session_that_ended(cleans_up: bool) -> None:
    """A `ProviderOf` that outlives its session refuses, whether the session had clean-ups or not."""
    kept: list[ProviderOf[Connection]] = []

    class Services(Module):
        @session_scoped
        @provider
        def connection(self) -> Connection:
            return Connection()

    async def resource() -> AsyncIterator[None]:
        yield

    app = App(container=Container(Services()), dependencies=[Depends(resource)] if cleans_up else [])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, connections: ProviderOf[Connection]) -> None:
        kept.append(connections)
        await websocket.accept()

    run(app)
    with pytest.raises(ContainerClosedError):
        kept[0].get()


def test_websocket_session_alone() -> None:
    """`websocket_session` makes an ASGI application of a function, and ends what the function leaves open."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")

    with TestClient(websocket_session(endpoint)).websocket_connect("/") as session:
        assert session.receive_text() == "hello"
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_text()
    assert caught.value.code == 1000


def test_origins_are_asked_before_anything_runs() -> None:
    """A policy for origins refuses with 403 before the endpoint."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()

    client = TestClient(websocket_session(endpoint, origins=OriginPolicy(["https://chat.example"])))
    with pytest.raises(WebSocketDenialResponse) as caught:
        client.websocket_connect("/", headers={"origin": "https://evil.example"}).__enter__()
    assert caught.value.status_code == 403
    with client.websocket_connect("/", headers={"origin": "https://chat.example"}):
        pass


def test_in_another_application_the_peer_gets_its_answer_and_the_application_the_exception() -> None:
    """Without an app of ours around it, a session closes with 1011 and its exception goes on to the host."""
    seen: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Failure

    inner = websocket_session(endpoint)

    async def host(scope: Any, receive: Any, send: Any) -> None:
        async def told(message: Any) -> None:
            seen.append(f"{message['type']} {message.get('code', '')}".strip())
            await send(message)

        try:
            await inner(scope, receive, told)
        except Failure:
            seen.append("raised")

    client = TestClient(host, raise_server_exceptions=False)
    with client.websocket_connect("/") as session, pytest.raises(WebSocketDisconnect):
        session.receive_text()
    assert seen == ["websocket.accept", "websocket.close 1011", "raised"]


def test_a_raw_endpoint_of_starlette_with_our_frame_has_its_route() -> None:
    """The frame can be put around an endpoint in a plain Starlette application."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.scope["route"].path)

    app = Starlette(routes=[WebSocketRoute("/x", endpoint)])
    with TestClient(app) as client, client.websocket_connect("/x") as session:
        assert session.receive_text() == "/x"


async def test_solve_dependencies() -> None:
    """`solve_dependencies` gives the values by name, with clean-ups on the caller's stack, or the errors."""
    order: list[str] = []

    async def resource() -> AsyncIterator[int]:
        yield 7
        order.append("closed")

    async def endpoint(websocket: WebSocket, limit: int, it: int = Depends(resource)) -> None: ...

    def handshake(query: bytes) -> WebSocket:
        async def never(*args: Any) -> Any: ...

        return WebSocket({"type": "websocket", "path": "/", "headers": [], "query_string": query}, never, never)

    dependant = get_dependant(path="/", call=endpoint)
    async with AsyncExitStack() as stack:
        websocket = handshake(b"limit=3")
        solved = await solve_dependencies(websocket=websocket, dependant=dependant, async_exit_stack=stack)
        assert (solved.values, solved.errors, order) == ({"websocket": websocket, "limit": 3, "it": 7}, [], [])
    assert order == ["closed"]
    async with AsyncExitStack() as stack:
        solved = await solve_dependencies(websocket=handshake(b""), dependant=dependant, async_exit_stack=stack)
    assert [error["loc"] for error in solved.errors] == [("query", "limit")]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_endpoint_leaves_nothing_to_the_garbage_collector() -> None:
    """What was local to it is gone with it: no exception holds the frame that raises it."""

    class Big:
        pass

    alive: list[weakref.ref[Big]] = []
    waits = anyio.Event()

    async def endpoint(websocket: WebSocket) -> None:
        big = Big()
        alive.append(weakref.ref(big))
        waits.set()
        await anyio.sleep_forever()

    app = App()
    app.add_api_websocket_route("/", endpoint)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None: ...

    async def run() -> None:
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "root_path": "", "state": {}}
        await app(scope, receive, send)

    gc.collect()
    gc.disable()
    try:
        task = asyncio.create_task(run())
        await waits.wait()
        task.cancel()
        await asyncio.wait((task,))
        del task
        assert [each() for each in alive] == [None]
    finally:
        gc.enable()
