"""The verbs of a session: text, bytes and JSON, and how it ends; the same in memory and over a real socket."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.testing.endpoints import echo, silent
from tests.testing.lines import every_line
from wscontrollers import App, WebSocketException
from wscontrollers.testing import AsyncTestClient, NotAtRest, ReceiveTimeout, SessionClosed, UnexpectedFrame

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]


@every_line
async def test_text_bytes_and_json_go_both_ways(async_client_of: Clients) -> None:
    """Each kind arrives as it was sent."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        await session.send_text("text")
        await session.send_bytes(b"bytes")
        await session.send_json({"a": "ü"})
        await session.send_json([2], mode="binary")
        await session.send_text("")
        assert await session.receive_text() == "text"
        assert await session.receive_bytes() == b"bytes"
        assert await session.receive_json() == {"a": "ü"}
        assert await session.receive_json(mode="binary") == [2]
        assert await session.receive() == ""


@every_line
async def test_another_kind_of_frame_is_told(async_client_of: Clients) -> None:
    """The failure says what was awaited, and shows what went both ways."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        await session.send_text("hi")
        with pytest.raises(UnexpectedFrame, match="a binary frame was expected, but a text one came") as failed:
            await session.receive_bytes()
        await session.send_bytes(b"{")
        with pytest.raises(UnexpectedFrame, match="a text frame was expected, but a binary one came"):
            await session.receive_text()
        await session.send_text("{")
        with pytest.raises(UnexpectedFrame, match="JSON was expected, but something else"):
            await session.receive_json()

    assert str(failed.value).splitlines()[1:] == ["  1. <- accept", "  2. -> text 'hi'", "  3. <- text 'hi'"]


@every_line
async def test_every_wait_ends(async_client_of: Clients) -> None:
    """The time-out of the receive counts before that of the session, and that before the client's; no frame is lost."""
    async with async_client_of(echo, timeout=9) as client, client.connect("/", timeout=0.02) as session:
        with pytest.raises(ReceiveTimeout, match=r"WebSocket /: still waiting for a text frame after 0\.02 s"):
            await session.receive_text()
        with pytest.raises(ReceiveTimeout, match=r"after 0\.01 s. On this session so far"):
            await session.receive(timeout=0.01)
        await session.send_text("still here")
        assert await session.receive_text(timeout=None) == "still here"


async def test_the_default_is_five_seconds(async_client_of: Clients) -> None:
    """Nobody has to ask for a time-out."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        assert session.timeout == 5.0


@every_line
async def test_nothing_is_expected_without_waiting_for_time(async_client_of: Clients) -> None:
    """`expect_nothing` is over when the application is at rest, however many hops an answer takes."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        async with anyio.create_task_group() as tasks:
            sending, receiving = anyio.create_memory_object_stream[str]()

            async def forward() -> None:
                async for text in receiving:
                    for _ in range(25):
                        await anyio.lowlevel.checkpoint()
                    await websocket.send_text(text)

            tasks.start_soon(forward)
            async for text in websocket.iter_text():
                if text != "nothing":
                    await sending.send(text)
            tasks.cancel_scope.cancel()
            sending.close()
            receiving.close()

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.expect_nothing()
        await session.send_text("nothing")
        await session.expect_nothing()
        await session.send_text("late")
        with pytest.raises(UnexpectedFrame, match="nothing was expected, but text 'late' came"):
            await session.expect_nothing()
        assert await session.receive_text() == "late"


async def test_what_never_rests_fails_the_test(async_client_of: Clients) -> None:
    """With the transcript, after the session's time-out."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await anyio.lowlevel.checkpoint()

    async with async_client_of(endpoint, timeout=0.02) as client, client.connect("/", allow_leftovers=True) as session:
        with pytest.raises(NotAtRest, match=r"WebSocket /: at_rest\(\): (.|\n)* 1\. <- accept"):
            await session.expect_nothing()


@every_line
async def test_a_close_is_expected_with_its_code(async_client_of: Clients) -> None:
    """The reason comes back; a frame before it, or another code, fails the test."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("last")
        await websocket.close(4000, "enough")

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        with pytest.raises(UnexpectedFrame, match="a close with 4000 was expected, but text 'last' came"):
            await session.expect_closed(4000)
        with pytest.raises(UnexpectedFrame, match="a close with 1000 was expected, but close 4000 'enough' came"):
            await session.expect_closed(1000)
        assert await session.expect_closed(4000) == "enough"
        assert await session.expect_closed() == "enough"


@every_line
async def test_a_close_where_a_frame_was_awaited(async_client_of: Clients) -> None:
    """It is Starlette's disconnect and a failure of the test in one, again for each receive."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        for _ in range(2):
            with pytest.raises(SessionClosed, match="the application closed the session: close 4000 'enough'") as closed:
                await session.receive_text()
            assert isinstance(closed.value, WebSocketDisconnect)
            assert (closed.value.code, closed.value.reason) == (4000, "enough")


async def fails(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive_text()
    await websocket.send_text("first")
    raise ValueError("a bug")


@every_line
async def test_an_exception_surfaces_at_the_line_that_waits(async_client_of: Clients) -> None:
    """With the endpoint's own traceback, behind the frames that came before it; leaving does not raise it again."""
    async with async_client_of(fails) as client, client.connect("/") as session:
        await session.send_text("go")
        assert await session.receive_text() == "first"
        for _ in range(2):
            with pytest.raises(ValueError, match="a bug") as raised:
                await session.receive_text()

    assert "fails" in [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]


@every_line
async def test_an_exception_of_an_app_surfaces_although_the_peer_sees_1011(is_real: bool) -> None:
    """An `App` answers its bugs itself, and reports them to the test."""
    app = App()
    app.websocket("/")(fails)

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/", allow_leftovers=True) as session:
        await session.send_text("go")
        await session.receive_text()
        with pytest.raises(ValueError, match="a bug"):
            await session.receive_text()
        with pytest.raises(ValueError, match="a bug"):
            await session.expect_closed(1000)


@every_line
async def test_an_expected_failure_is_consumed(is_real: bool) -> None:
    """`expect_closed(1011)` takes the exception for expected: the test passes."""
    app = App()
    app.websocket("/")(fails)

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        await session.send_text("go")
        await session.receive_text()
        assert await session.expect_closed(1011) == "Internal error"


@every_line
async def test_without_a_close_the_peer_sees_1006(async_client_of: Clients) -> None:
    """A plain endpoint that fails, or returns without a close, looks as it does behind a server."""

    async def returns(websocket: WebSocket) -> None:
        await websocket.accept()

    async with async_client_of(routes={"/fails": fails, "/returns": returns}) as client:
        async with client.connect("/fails") as session:
            await session.send_text("go")
            await session.receive_text()
            await session.expect_closed(1006)
        async with client.connect("/returns") as session:
            await session.expect_closed(1006)


@every_line
async def test_expecting_another_close_does_not_consume_a_bug(async_client_of: Clients) -> None:
    """Only 1011 and 1006 say that the application failed."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        raise ValueError("in the clean-up")

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        with pytest.raises(ValueError, match="in the clean-up"):
            await session.expect_closed(4000)


@every_line
async def test_a_bug_explains_a_time_out(is_real: bool) -> None:
    """What the application reported is why nothing came; it fails the test in place of the time-out."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        websocket.scope["wscontrollers.report_exception"](ValueError("a handler's bug"))
        await websocket.receive()

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        with pytest.raises(ValueError, match="a handler's bug"):
            await session.receive_text(timeout=0.05)


@every_line
async def test_nothing_is_not_a_bug(is_real: bool) -> None:
    """`expect_nothing` fails with what the application reported."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        websocket.scope["wscontrollers.report_exception"](ValueError("a handler's bug"))
        await websocket.receive()

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        with pytest.raises(ValueError, match="a handler's bug"):
            await session.expect_nothing()


@every_line
async def test_the_test_closes(async_client_of: Clients) -> None:
    """The endpoint sees code and reason; what it sends then, and what the test sends then, nobody sees."""
    seen: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        message = await websocket.receive()
        seen.append((message["code"], message["reason"]))
        try:
            await websocket.send_text("too late")
        except WebSocketDisconnect as gone:
            seen.append(gone.code)

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.close(4001, "bye")
        await session.send_text("nobody reads this")
    assert seen[0] == (4001, "bye")


@every_line
async def test_a_refused_message_is_a_close(is_real: bool) -> None:
    """`WebSocketException` behind the accept gives its code and reason."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise WebSocketException(1008, "not you")

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        assert await session.expect_closed(1008) == "not you"


async def test_sessions_share_the_loop(async_client_of: Clients) -> None:
    """Many at once, each with its own frames."""
    async with async_client_of(echo) as client, client.connect("/") as a, client.connect("/") as b:
        await a.send_text("a")
        await b.send_text("b")
        assert await b.receive_text() == "b"
        await b.expect_nothing()
        assert await a.receive_text() == "a"


async def test_receives_may_run_beside_each_other(async_client_of: Clients) -> None:
    """Each frame goes to one of them."""
    got: list[str] = []

    async with async_client_of(silent) as client, client.connect("/") as session, anyio.create_task_group() as tasks:

        async def receive() -> None:
            with pytest.raises(ReceiveTimeout):
                await session.receive_text(timeout=0.01)
            got.append("timed out")

        tasks.start_soon(receive)
        tasks.start_soon(receive)
    assert got == ["timed out", "timed out"]
