"""How a session opens, and what leaving it makes sure of; the same in memory and over a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from tests.testing.endpoints import echo, silent
from tests.testing.lines import every_line
from wscontrollers import App, Controller, Denied, Message, Session, receive, websocket
from wscontrollers.testing import (
    AsyncTestClient,
    EndpointStillRunning,
    HandshakeRefused,
    LeftoverFrames,
    ReceiveTimeout,
    UnexpectedFrame,
    connecting,
    server,
)

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]


class Ask(Message):
    pass


@every_line
async def test_the_accept_is_readable(async_client_of: Clients) -> None:
    """Subprotocol and headers of the accept."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept(websocket.scope["subprotocols"][1], headers=[(b"x-room", b"tea")])

    async with async_client_of(endpoint) as client, client.connect("/", subprotocols=["a", "b"], allow_leftovers=True) as session:
        assert session.subprotocol == "b"
        assert session.accepted_headers["X-Room"] == "tea"


@every_line
async def test_the_handshake_arrives(async_client_of: Clients) -> None:
    """Path, query, headers, cookies and subprotocols reach the endpoint."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(
            {
                "path": websocket.scope["path"],
                "query": list(websocket.query_params.multi_items()),
                "tag": websocket.headers.getlist("x-tag"),
                "host": websocket.headers.getlist("host"),
                "cookies": websocket.cookies,
                "subprotocols": websocket.scope["subprotocols"],
            }
        )
        await websocket.close()

    async with (
        async_client_of(routes={"/{path:path}": endpoint}) as client,
        client.connect(
            "/räume/1?a=1",
            params={"b": ["2", "ü"]},
            headers=[("x-tag", "x"), ("x-tag", "y")],
            cookies={"token": "t"},
            subprotocols=["v2", "v1"],
        ) as session,
    ):
        assert await session.receive_json() == {
            "path": "/räume/1",
            "query": [["a", "1"], ["b", "2"], ["b", "ü"]],
            "tag": ["x", "y"],
            "host": ["testserver"],
            "cookies": {"token": "t"},
            "subprotocols": ["v2", "v1"],
        }


@every_line
async def test_a_refusal_is_expected(is_real: bool) -> None:
    """Status, headers and body of the denial."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        raise Denied(401, "who?", {"www-authenticate": "Bearer"})

    async with AsyncTestClient(app, real=is_real) as client:
        refusal = await client.connect("/").expect_refused(401)
        assert refusal.headers["WWW-Authenticate"] == "Bearer"
        assert (refusal.status, refusal.json(), refusal.text) == (401, {"detail": "who?"}, '{"detail":"who?"}')
        assert (await client.connect("/").expect_refused()).status == 401


@every_line
async def test_a_close_before_the_accept_is_a_403(async_client_of: Clients) -> None:
    """As on the wire."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.close(1008)

    async with async_client_of(endpoint) as client:
        assert (await client.connect("/").expect_refused(403)).body == b""


@every_line
async def test_an_unexpected_refusal_fails_the_test(async_client_of: Clients) -> None:
    """The failure shows status and body, and how to expect it."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.send_denial_response(JSONResponse({"detail": "full"}, 503))

    async with async_client_of(endpoint) as client:
        with pytest.raises(HandshakeRefused, match=r"refused with HTTP 503: (.*)full(.*)expect_refused\(503\)") as refused:
            async with client.connect("/"):
                pass
        assert refused.value.refusal.json() == {"detail": "full"}
        with pytest.raises(AssertionError, match="a refusal with HTTP 401 was expected, but it was HTTP 503"):
            await client.connect("/").expect_refused(401)


@every_line
async def test_an_unexpected_accept_fails_the_test(async_client_of: Clients) -> None:
    """The session that was opened ends."""
    async with async_client_of(silent) as client:
        with pytest.raises(AssertionError, match="a refusal with HTTP 401 was expected, but the handshake was accepted"):
            await client.connect("/").expect_refused(401)


@every_line
async def test_an_exception_before_the_accept_surfaces(async_client_of: Clients) -> None:
    """At the connect; `expect_refused(500)` takes it for expected, another status does not."""

    async def endpoint(websocket: WebSocket) -> None:
        raise ValueError("a bug")

    async with async_client_of(endpoint) as client:
        with pytest.raises(ValueError, match="a bug"):
            async with client.connect("/"):
                pass
        with pytest.raises(ValueError, match="a bug"):
            await client.connect("/").expect_refused(401)
        await client.connect("/").expect_refused(500)


@every_line
async def test_the_wait_for_the_accept_ends(async_client_of: Clients) -> None:
    """An endpoint that never answers the handshake fails the test, and is cancelled."""
    cancelled: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append("yes")

    async with async_client_of(endpoint, timeout=0.05) as client:
        with pytest.raises(ReceiveTimeout, match="still waiting for the answer to the handshake"):
            async with client.connect("/"):
                pass
    assert cancelled == ["yes"]


@every_line
async def test_leftover_frames_fail_the_test(async_client_of: Clients) -> None:
    """Also those that were still on their way when the test left; `allow_leftovers=True` says otherwise."""
    async with async_client_of(echo) as client:
        with pytest.raises(LeftoverFrames, match=r"the test left without receiving text 'b', text 'c'. Fix: expect them"):
            async with client.connect("/") as session:
                for text in "abc":
                    await session.send_text(text)
                await session.receive_text()
        async with client.connect("/", allow_leftovers=True) as session:
            await session.send_text("a")


@every_line
async def test_closing_receives_nothing(async_client_of: Clients) -> None:
    """What lay there when the test closed the session is a leftover too."""
    async with async_client_of(echo) as client:
        with pytest.raises(LeftoverFrames, match="receiving text 'a'"):
            async with client.connect("/") as session:
                await session.send_text("a")
                with pytest.raises(UnexpectedFrame):
                    await session.expect_nothing()
                await session.close()


@every_line
async def test_a_close_that_nobody_expected_is_a_leftover(async_client_of: Clients) -> None:
    """1000 may lie there, every other code may not."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(int(websocket.query_params["code"]))

    async with async_client_of(endpoint) as client:
        async with client.connect("/?code=1000"):
            pass
        with pytest.raises(LeftoverFrames, match="close 1013"):
            async with client.connect("/?code=1013"):
                pass


@every_line
async def test_leftovers_do_not_hide_a_failure(async_client_of: Clients) -> None:
    """A test that failed is not asked for its frames."""
    async with async_client_of(echo) as client:
        with pytest.raises(KeyError):
            async with client.connect("/") as session:
                await session.send_text("a")
                raise KeyError


@every_line
async def test_a_bug_that_nobody_awaited_surfaces_at_the_end(async_client_of: Clients) -> None:
    """Be it before the test leaves, or in the clean-up that leaving sets off."""

    async def early(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ValueError("early")

    async def late(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        raise ValueError("late")

    async with async_client_of(routes={"/early": early, "/late": late}) as client:
        with pytest.raises(ValueError, match="early"):
            async with client.connect("/early"):
                pass
        with pytest.raises(ValueError, match="late"):
            async with client.connect("/late"):
                pass


@every_line
async def test_a_bug_explains_a_failure(async_client_of: Clients) -> None:
    """What the endpoint raised before the test left is the cause, and so is what the test shows."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ValueError("the cause")

    async with async_client_of(endpoint) as client:
        with pytest.raises(ValueError, match="the cause") as raised:
            async with client.connect("/") as session:
                await anyio.wait_all_tasks_blocked()
                assert session.subprotocol == "v1"
    assert isinstance(raised.value.__context__, AssertionError)


@every_line
async def test_a_bug_that_leaving_stirred_up_does_not_hide_the_failure(async_client_of: Clients) -> None:
    """The test's own failure stays, with a note of the other."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        raise ValueError("in the clean-up")

    async with async_client_of(endpoint) as client:
        with pytest.raises(AssertionError, match="the test's own") as failed:
            async with client.connect("/"):
                raise AssertionError("the test's own")
    assert "behind this, ValueError: in the clean-up" in failed.value.__notes__[0]


@every_line
async def test_a_failure_inside_the_endpoint_is_a_failure_of_the_test(async_client_of: Clients) -> None:
    """`pytest.fail()` in an endpoint reaches the test."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        pytest.fail("never to be called")

    async with async_client_of(endpoint) as client:
        with pytest.raises(pytest.fail.Exception, match="never to be called"):
            async with client.connect("/") as session:
                await session.receive_text()


@every_line
async def test_that_the_peer_left_is_no_failure(async_client_of: Clients) -> None:
    """An endpoint as in Starlette's docs ends with a disconnect when the test leaves."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.receive_text()

    async with async_client_of(endpoint) as client, client.connect("/"):
        pass


@every_line
async def test_the_endpoint_may_clean_up(async_client_of: Clients) -> None:
    """Leaving waits for an endpoint that has read the disconnect, without cancelling it."""
    cleaned_up: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        message = await websocket.receive()
        await anyio.sleep(0.02)
        cleaned_up.append(message["code"])

    async with async_client_of(endpoint) as client:
        async with client.connect("/"):
            pass
        assert cleaned_up == [1000]


@every_line
async def test_an_endpoint_that_does_not_read_is_cancelled(async_client_of: Clients) -> None:
    """Who never learns of the disconnect is ended, and its clean-up runs."""
    ended: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("yes")

    async with async_client_of(endpoint) as client:
        async with client.connect("/"):
            pass
        assert ended == ["yes"]


@every_line
async def test_an_endpoint_that_only_sends_learns_of_it(async_client_of: Clients) -> None:
    """Its send raises, as behind a server; that it does not come to rest is no failure where leftovers are allowed."""
    ended: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text("tick")
                await anyio.lowlevel.checkpoint()
        finally:
            ended.append("yes")

    async with async_client_of(endpoint) as client:
        async with client.connect("/", allow_leftovers=True) as session:
            assert await session.receive_text() == "tick"
        assert ended == ["yes"]


async def test_an_endpoint_that_does_not_end_fails_the_test(async_client_of: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at once, in the log, and raised when it ends after all."""
    monkeypatch.setattr(connecting, "patience", lambda timeout: 0.05)
    is_over, told = anyio.Event(), anyio.Event()
    logged: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        with anyio.CancelScope(shield=True):
            await websocket.receive()
            await is_over.wait()

    async def let_go() -> None:
        await told.wait()
        is_over.set()

    class LetGo(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record.getMessage())
            told.set()

    logger = logging.getLogger("wscontrollers.testing")
    handler = LetGo()
    logger.addHandler(handler)
    try:
        async with async_client_of(endpoint) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(let_go)
            with pytest.raises(EndpointStillRunning, match="WebSocket /: the endpoint did not end"):
                async with client.connect("/"):
                    pass
    finally:
        logger.removeHandler(handler)
    assert "the endpoint did not end" in logged[0]


def stubborn(endings: list[str]) -> App:
    """An application whose endpoint and handler swallow each cancellation."""

    async def stays(what: str) -> None:
        while True:
            try:
                await anyio.sleep(0.01)
            except asyncio.CancelledError:
                endings.append(what)

    class Stubborn(Controller):
        @websocket("/endpoint")
        async def endpoint(self, session: Session[Ask, Any]) -> None:
            await stays("endpoint")

        @websocket("/handler")
        async def handlers(self) -> AsyncIterator[None]:
            yield

        @receive(order="concurrent")
        async def ask(self, message: Ask) -> None:
            await stays("handler")

    return App(controllers=[Stubborn])


@pytest.mark.parametrize("is_real", [False, True], ids=["memory", "uvicorn"])
@pytest.mark.parametrize("who", ["endpoint", "handler"])
def test_what_swallows_its_cancellation_fails_the_test_in_time(who: str, is_real: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it: not who leaves the session, nor who leaves the client, nor the event loop when it closes."""
    monkeypatch.setattr(connecting, "patience", lambda timeout: 0.05)
    monkeypatch.setattr(server, "_PATIENCE", 0)
    endings: list[str] = []

    async def main() -> None:
        async with AsyncTestClient(stubborn(endings), real=is_real) as client:
            with pytest.raises(EndpointStillRunning, match=f"WebSocket /{who}: the endpoint did not end"):
                async with client.connect(f"/{who}") as peer:
                    await peer.send(Ask())

    anyio.run(main)
    assert who in endings


@every_line
async def test_a_cancelled_test_leaves(async_client_of: Clients) -> None:
    """A time-out around a session ends it; the endpoint is cancelled with it."""
    ended: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.receive()
        finally:
            ended.append("yes")

    async with async_client_of(endpoint) as client:
        with anyio.move_on_after(0.05):
            async with client.connect("/") as session:
                await session.receive_text(timeout=None)
        await anyio.wait_all_tasks_blocked()
    assert ended == ["yes"]


async def test_a_handshake_is_sent_once(async_client_of: Clients) -> None:
    """What `connect` returned serves one session."""
    async with async_client_of(silent) as client:
        handshake = client.connect("/")
        async with handshake:
            pass
        with pytest.raises(RuntimeError, match=r"this handshake was sent before. Fix: call client\.connect"):
            await handshake.expect_refused()
