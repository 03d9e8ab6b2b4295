"""What an application sees without a network: no less than behind a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.testing.lines import every_line
from wscontrollers.testing import AsyncTestClient

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]


def app_of(serve: Any) -> Any:
    """An ASGI application with a lifespan and nothing else but sessions."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve(scope, receive, send)
            return
        while True:
            step = (await receive())["type"]
            await send({"type": f"{step}.complete"})
            if step == "lifespan.shutdown":
                return

    return app


@every_line
async def test_the_events_of_a_session(is_real: bool) -> None:
    """ASGI's: connect first, then frames, then the disconnect with code and reason."""
    seen: list[Any] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        await send({"type": "websocket.accept"})
        seen.append(await receive())
        seen.append(await receive())

    async with AsyncTestClient(app_of(serve), real=is_real) as client, client.connect("/") as session:
        await session.send_text("hi")
        await session.close(4000, "bye")
    assert seen == [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "hi"},
        {"type": "websocket.disconnect", "code": 4000, "reason": "bye"},
    ]


@every_line
async def test_the_scope_of_a_session(is_real: bool) -> None:
    """The keys that uvicorn sets, with values of their types."""
    seen: list[Scope] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async with AsyncTestClient(app_of(serve), real=is_real) as client, client.connect("/a?b=1"):
        pass
    scope = {key: value for key, value in seen[0].items() if not key.startswith("wscontrollers.")}
    kinds = {key: type(value) for key, value in scope.items()}
    assert kinds == {
        "type": str, "asgi": dict, "http_version": str, "scheme": str, "server": tuple, "client": tuple, "root_path": str,
        "path": str, "raw_path": bytes, "query_string": bytes, "headers": list, "subprotocols": list, "state": dict,
        "extensions": dict,
    }  # fmt: skip
    assert (scope["path"], scope["raw_path"], scope["query_string"], scope["scheme"]) == ("/a", b"/a", b"b=1", "ws")
    assert scope["extensions"] == {"websocket.http.response": {}}


@every_line
async def test_the_own_close_comes_back_as_a_disconnect(async_client_of: Clients) -> None:
    """With its own code, as ASGI has it."""
    codes: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        codes.append((await websocket._receive())["code"])

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.expect_closed(4000)
        await session.expect_nothing()
    assert codes == [4000]


@every_line
async def test_a_denial_may_leave_out_what_asgi_lets_it(is_real: bool) -> None:
    """Headers are optional, and the body may come in parts."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": 403})
        await send({"type": "websocket.http.response.body", "body": b"no", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"!"})

    async with AsyncTestClient(app_of(serve), real=is_real) as client:
        assert (await client.connect("/").expect_refused(403)).body == b"no!"


async def test_a_send_behind_the_end_raises_an_oserror(async_client_of: Clients) -> None:
    """ASGI's rule, from which Starlette makes its disconnect."""
    raised: list[type[BaseException]] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        try:
            await send({"type": "websocket.send", "text": "too late"})
        except OSError as error:
            raised.append(type(error))
            raise

    async with AsyncTestClient(app_of(serve)) as client, client.connect("/"):
        pass
    assert [error.__name__ for error in raised] == ["PeerGone"]
