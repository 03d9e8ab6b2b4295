"""The waits of a session, and leaving it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio
import anyio.from_thread
import pytest
from starlette.applications import Starlette
from starlette.websockets import WebSocket, WebSocketDisconnect

from wscontrollers.testing import (
    EndpointStillRunning,
    ReceiveTimeout,
    TestClient,
)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


async def silent(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()


def test_a_receive_ends_with_a_list_of_what_arrived(client_of: Callable[..., TestClient]) -> None:
    """A time-out says what it waits for, and shows kind and content of each frame so far."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept("chat")
        await websocket.send_text("hello")
        await websocket.send_bytes(b"x" * 1000)
        await websocket.receive()

    with client_of(endpoint).websocket_connect("/?token=secret", ["chat"]) as session:
        session.receive()
        session.receive()
        with pytest.raises(ReceiveTimeout) as late:
            session.receive_text(timeout=0.01)

    text = str(late.value)
    assert text.startswith("WebSocket /: still waiting for a text frame after 0.01 s. Arrived on this session so far:\n")
    assert "1. accept with subprotocol 'chat'\n" in text
    assert "2. text 'hello'\n" in text
    assert f"3. bytes b'{'x' * 100}'... (1000 bytes)" in text
    assert "secret" not in text


def test_a_time_out_fails_a_test_and_is_a_time_out() -> None:
    """`ReceiveTimeout` can be awaited as either."""
    assert issubclass(ReceiveTimeout, TimeoutError)
    assert issubclass(ReceiveTimeout, AssertionError)


@pytest.mark.parametrize("receive", ["receive", "receive_text", "receive_bytes", "receive_json"])
def test_each_receive_has_the_time_out_of_the_client(client_of: Callable[..., TestClient], receive: str) -> None:
    """Every way to receive ends; the client says after how many seconds."""
    with (
        client_of(silent, timeout=0.3).websocket_connect("/") as session,
        pytest.raises(ReceiveTimeout, match=r"after 0\.3 s"),
    ):
        getattr(session, receive)()


def test_nearest_time_out_counts(client_of: Callable[..., TestClient]) -> None:
    """The receive's own before the session's, the session's before the client's."""
    with client_of(silent, timeout=9).websocket_connect("/", timeout=0.3) as session:
        with pytest.raises(ReceiveTimeout, match=r"after 0\.3 s"):
            session.receive()
        with pytest.raises(ReceiveTimeout, match=r"after 0\.01 s"):
            session.receive(timeout=0.01)


def test_the_default_is_five_seconds() -> None:
    """Nobody has to ask for a time-out."""
    assert TestClient(Starlette()).websocket_connect("/").timeout == 5.0


def test_none_waits_for_ever(client_of: Callable[..., TestClient]) -> None:
    """None must be asked for; the frame comes whenever it comes."""
    with client_of(echo, timeout=0.01).websocket_connect("/", timeout=None) as session:
        late = threading.Timer(0.05, session.send_text, ["late"])
        late.start()
        assert session.receive_text() == "late"
        late.join()


def test_the_session_goes_on_behind_a_time_out(client_of: Callable[..., TestClient]) -> None:
    """A time-out loses no frame and closes nothing."""
    with client_of(echo).websocket_connect("/") as session:
        with pytest.raises(ReceiveTimeout):
            session.receive(timeout=0.01)
        session.send_text("still here")
        assert session.receive_text() == "still here"


def test_the_wait_for_the_accept_ends(client_of: Callable[..., TestClient]) -> None:
    """An endpoint that never answers the handshake fails the test."""

    async def endpoint(websocket: WebSocket) -> None:
        await anyio.sleep_forever()

    with (
        pytest.raises(ReceiveTimeout, match=r"still waiting for the accept .* Nothing has arrived on this session\."),
        client_of(endpoint, timeout=0.01).websocket_connect("/"),
    ):
        pass


def test_a_receive_ends_although_an_endpoint_blocks_the_loop(client_of: Callable[..., TestClient]) -> None:
    """The time-out does not need the event loop."""
    go_on = threading.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        go_on.wait(10)

    with client_of(endpoint).websocket_connect("/") as session:
        with pytest.raises(ReceiveTimeout):
            session.receive(timeout=0.01)
        session.send_text("this does not wait for the loop either")
        go_on.set()


def test_only_the_last_frames_are_listed(client_of: Callable[..., TestClient]) -> None:
    """A long session's failure stays readable."""
    with client_of(echo).websocket_connect("/") as session:
        for number in range(30):
            session.send_text(str(number))
            session.receive()
        with pytest.raises(ReceiveTimeout, match=r"\.\.\. 11 before these\n  12\. text '10'\n"):
            session.receive(timeout=0.01)


def test_the_endpoint_may_clean_up(client_of: Callable[..., TestClient]) -> None:
    """Leaving waits for an endpoint that has read the disconnect, without cancelling it."""
    cleaned_up: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        message = await websocket.receive()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        cleaned_up.append(message["code"])

    with client_of(endpoint).websocket_connect("/"):
        pass
    assert cleaned_up == [1000]


def test_an_endpoint_that_does_not_read_is_cancelled(client_of: Callable[..., TestClient]) -> None:
    """Who never learns of the disconnect is ended, and its clean-up runs."""
    ended: list[str] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text("tick")
        finally:
            ended.append("yes")

    with client_of(endpoint).websocket_connect("/") as session:
        assert session.receive_text() == "tick"
    assert ended == ["yes"]


def test_leaving_behind_a_time_out_does_not_hang(client_of: Callable[..., TestClient]) -> None:
    """The time-out is what fails the test, whatever the endpoint does about its cancellation."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await anyio.sleep_forever()

    with pytest.raises(ReceiveTimeout), client_of(endpoint).websocket_connect("/") as session:
        session.receive(timeout=0.01)


@pytest.mark.parametrize("with_lifespan", [True, False])
def test_an_endpoint_that_does_not_end_fails_the_test(client_of: Callable[..., TestClient], with_lifespan: bool) -> None:
    """Neither leaving the session nor leaving the client waits for it."""
    let_go = threading.Event()
    is_over = threading.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(let_go.wait, 10)
        is_over.set()

    client = client_of(endpoint, timeout=0.3)
    if with_lifespan:
        client.__enter__()
    try:
        with pytest.raises(EndpointStillRunning, match="WebSocket /: the endpoint did not end"), client.websocket_connect("/"):
            pass
        with pytest.raises(ReceiveTimeout) as late, client.websocket_connect("/") as session:
            session.receive()
        assert "the endpoint did not end" in late.value.__notes__[0]
    finally:
        if with_lifespan:
            client.__exit__(None, None, None)
        assert not is_over.is_set()
        let_go.set()
        assert is_over.wait(5)


def test_the_close_of_the_endpoint_comes_back_as_its_disconnect(client_of: Callable[..., TestClient]) -> None:
    """An endpoint that closes learns its own code, as from a server."""
    codes: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        codes.append((await websocket._receive())["code"])

    with pytest.raises(WebSocketDisconnect), client_of(endpoint).websocket_connect("/") as session:
        session.receive_text()
    assert codes == [4000]


def test_a_close_without_a_code(client_of: Callable[..., TestClient]) -> None:
    """The endpoint sees what servers tell of one (RFC 6455, section 7.4.1)."""
    codes: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        codes.append((await websocket.receive())["code"])

    with client_of(endpoint).websocket_connect("/") as session:
        session.close(None)
    assert codes == [1005]
