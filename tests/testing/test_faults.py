"""A peer that misbehaves, in memory and over a real socket."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.testing.endpoints import echo
from tests.testing.lines import every_line
from wscontrollers import App, Session
from wscontrollers.session import Ended
from wscontrollers.testing import AsyncTestClient

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]

KIB = 1024


@every_line
async def test_a_slow_client_makes_the_application_wait(async_client_of: Clients) -> None:
    """`send` blocks when too much waits, and goes on when the client reads; nothing is lost."""
    sent: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        for number in range(200):
            await websocket.receive_text()
            await websocket.send_bytes(number.to_bytes(2) * 32 * KIB)
            sent.append(number)
        await websocket.close()

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        session.pause_reading()
        for _ in range(200):
            await session.send_text("more")
        await anyio.wait_all_tasks_blocked()
        assert len(sent) < 200
        session.resume_reading()
        for number in range(200):
            assert (await session.receive_bytes())[:2] == number.to_bytes(2)


async def test_in_memory_the_mark_is_exact(async_client_of: Clients) -> None:
    """64 KiB may wait; the frame that goes beyond is taken, the next one waits, as with uvicorn."""
    sent: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        for number in range(10):
            await websocket.send_bytes(b"x" * 16 * KIB)
            sent.append(number)
        await websocket.close()

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        session.pause_reading()
        await session.send_text("go")
        await anyio.wait_all_tasks_blocked()
        assert len(sent) == 5
        session.resume_reading()
        assert [len(await session.receive_bytes()) for _ in range(10)] == [16 * KIB] * 10


@every_line
async def test_who_stopped_reading_cannot_receive(async_client_of: Clients) -> None:
    """An error with its fix in place of a time-out."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        session.pause_reading()
        with pytest.raises(RuntimeError, match=r"the test has stopped reading. Fix: resume_reading\(\) first"):
            await session.receive_text()
        session.resume_reading()


@every_line
async def test_leaving_ends_a_send_that_waits(async_client_of: Clients) -> None:
    """The endpoint's `send` raises what it raises behind a server."""
    seen: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        try:
            while True:
                await websocket.send_bytes(b"x" * 256 * KIB)
                await anyio.lowlevel.checkpoint()  # uvicorn's send lets the loop go on only while it has to wait
        except WebSocketDisconnect:
            seen.append("gone")

    async with async_client_of(endpoint) as client:
        async with client.connect("/", allow_leftovers=True) as session:
            session.pause_reading()
            await session.send_text("go")
            await anyio.wait_all_tasks_blocked()
            session.reset()
            await anyio.wait_all_tasks_blocked()
        assert seen == ["gone"]


@every_line
async def test_a_half_open_connection_tells_nothing(async_client_of: Clients) -> None:
    """After `vanish` nothing goes either way; the endpoint learns of it when the server would: here at the `reset`."""
    seen: list[object] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            seen.append(message["text"])
            await websocket.send_text("answer")
        seen.append(message["code"])

    async with async_client_of(endpoint) as client:
        async with client.connect("/") as session:
            await session.send_text("before")
            await session.receive_text()
            session.vanish()
            await session.send_text("behind")
            await anyio.wait_all_tasks_blocked()
            assert seen == ["before"]
            session.reset()
            await anyio.wait_all_tasks_blocked()
        assert seen == ["before", 1005]


@every_line
@pytest.mark.parametrize(
    ("leaves", "end"),
    [
        ("with a code", Ended("client", 3001, "bye")),
        ("without a code", Ended("client", 1005)),
        ("by a reset", Ended("network", 1006)),
    ],
)
async def test_a_session_knows_a_loss_from_a_close(is_real: bool, leaves: str, end: Ended) -> None:
    """By the network, or by its client; a plain `WebSocket` cannot tell it from a close without a code."""
    ends: list[object] = []
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[bytes, bytes]) -> None:
        async for _ in session:
            pass
        ends.append(session.ended)

    async with AsyncTestClient(app, real=is_real) as client:
        async with client.connect("/") as session:
            if leaves == "with a code":
                await session.close(3001, "bye")
            elif leaves == "without a code":
                await session.close(None)
            else:
                session.reset()
        assert ends == [end]


@every_line
async def test_who_has_left_sees_nothing_any_more(async_client_of: Clients) -> None:
    """What came before is there; whoever waits for more is told at once that nothing comes."""
    async with async_client_of(echo) as client, client.connect("/", allow_leftovers=True) as session:
        await session.send_text("a")
        assert await session.receive_text() == "a"
        await session.close()
        with pytest.raises(RuntimeError, match=r"a close is awaited, but the test has left .*Fix: await it before close\(\)"):
            await session.expect_closed()
        with pytest.raises(RuntimeError, match="a frame is awaited, but the test has left"):
            await session.receive()
        await session.expect_nothing()


@every_line
@pytest.mark.parametrize("is_paused", [False, True])
async def test_what_comes_behind_the_tests_close_is_not_seen(async_client_of: Clients, is_paused: bool) -> None:
    """Whether it was on its way, or held because the test did not read."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text("a" * 1000)

    async with async_client_of(endpoint) as client, client.connect("/", allow_leftovers=True) as session:
        await session.receive_text()
        if is_paused:
            session.pause_reading()
            await session.send_text("a")
        arrivals = session._transport.arrivals
        before = arrivals.waiting()
        await session.close()
        assert arrivals.waiting() == before


@every_line
@pytest.mark.parametrize(("code", "reason"), [(17, ""), (1005, ""), (1006, ""), (1000, "x" * 124), (None, "bye")])
async def test_a_close_frame_that_no_client_can_send(async_client_of: Clients, code: int | None, reason: str) -> None:
    """It is refused on every line, and the session goes on (RFC 6455, sections 5.5 and 7.4)."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        with pytest.raises(ValueError, match=rf"close\({code}, .*no close frame may hold that. Fix: "):
            await session.close(code, reason)
        await session.send_text("a")
        assert await session.receive_text() == "a"


@every_line
async def test_leaving_a_half_open_session_ends_it(async_client_of: Clients) -> None:
    """No endpoint is left behind."""
    seen: list[object] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        seen.append((await websocket.receive())["code"])

    async with async_client_of(endpoint) as client:
        async with client.connect("/") as session:
            session.vanish()
        assert seen == [1005]


@every_line
async def test_a_flood_arrives_in_order(async_client_of: Clients) -> None:
    """Thousands of frames, without an answer awaited between them."""
    seen: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            seen.append(text)

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        assert await session.flood(str(number) for number in range(3000)) == 3000
        await session.expect_nothing()
        assert seen == [str(number) for number in range(3000)]


@every_line
async def test_a_flood_ends_when_the_application_closes(async_client_of: Clients) -> None:
    """It says how many frames it was rid of."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        for _ in range(10):
            await websocket.receive()
        await websocket.close(1008, "too fast")

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        assert 10 <= await session.flood("x" for _ in range(100_000)) < 100_000
        assert await session.expect_closed(1008) == "too fast"


async def test_what_the_application_has_not_read_is_counted(async_client_of: Clients) -> None:
    """So a test sees that reading has stopped."""
    go_on = anyio.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        await go_on.wait()
        await websocket.receive()
        await websocket.receive()

    async with async_client_of(endpoint) as client, client.connect("/", allow_leftovers=True) as session:
        await session.flood(["a", "b", "c"])
        await session.expect_nothing()
        assert session.unread == 2
        go_on.set()
        await anyio.wait_all_tasks_blocked()
        assert session.unread == 0
