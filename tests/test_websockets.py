"""The WebSocket of an endpoint behaves as Starlette's does, and knows whether it was accepted early."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from wscontrollers.websockets import ServedWebSocket, WebSocket, WebSocketDisconnect, WebSocketState

SCOPE: dict[str, Any] = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "extensions": {}}

CONNECT: Message = {"type": "websocket.connect"}
EVENTS: list[Message] = [
    {"type": "websocket.receive", "text": "hi"},
    {"type": "websocket.receive", "bytes": b"hi"},
    {"type": "websocket.disconnect", "code": 1001, "reason": "gone"},
    {"type": "websocket.connect"},
]


async def first_text(websocket: WebSocket) -> Any:
    return [text async for text in websocket.iter_text()]


async def first_bytes(websocket: WebSocket) -> Any:
    return [data async for data in websocket.iter_bytes()]


ACTIONS: dict[str, Callable[[WebSocket], Awaitable[Any]]] = {
    "accept": lambda websocket: websocket.accept("chat", [(b"x", b"y")]),
    "receive": lambda websocket: websocket.receive(),
    "receive_text": lambda websocket: websocket.receive_text(),
    "receive_bytes": lambda websocket: websocket.receive_bytes(),
    "iter_text": first_text,
    "iter_bytes": first_bytes,
    "send_text": lambda websocket: websocket.send_text("ho"),
    "send_bytes": lambda websocket: websocket.send_bytes(b"ho"),
    "send_json": lambda websocket: websocket.send_json({"a": 1}),
    "close": lambda websocket: websocket.close(1001, "bye"),
}


class Peer:
    """What comes in, one event after the other, and what went out; `breaks` is the number of frames until the wire breaks."""

    def __init__(self, events: list[Message], breaks: int) -> None:
        self.events = list(events)
        self.breaks = breaks
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.events:
            raise EOFError("nothing comes any more")
        return dict(self.events.pop(0))

    async def send(self, message: Message) -> None:
        if len(self.sent) >= self.breaks:
            raise OSError("the wire is broken")
        self.sent.append(dict(message))


async def played(cls: type[WebSocket], events: list[Message], breaks: int, actions: list[str]) -> list[Any]:
    """What each action gave or raised, with the states behind it, and what was sent."""
    peer = Peer(events, breaks)
    websocket = cls(dict(SCOPE), peer.receive, peer.send)
    outcomes: list[Any] = []
    for action in actions:
        try:
            outcome: Any = await ACTIONS[action](websocket)
        except Exception as error:
            outcome = (type(error), getattr(error, "code", None), getattr(error, "reason", None))
        outcomes.append((action, outcome, websocket.client_state, websocket.application_state))
    return [*outcomes, peer.sent]


@given(
    st.lists(st.sampled_from(EVENTS), max_size=4).map(lambda events: [CONNECT, *events]),
    st.integers(1, 5),
    st.lists(st.sampled_from(list(ACTIONS)), max_size=6),
)
def test_every_sequence_of_calls_is_as_with_starlette(events: list[Message], breaks: int, actions: list[str]) -> None:
    """Values, exceptions, states and frames are the same, whatever is called when and whenever the wire breaks."""
    actions = ["accept", *actions]
    ours = anyio.run(played, ServedWebSocket, events, breaks, actions)
    assert ours == anyio.run(played, WebSocket, events, breaks, actions)


def connected(*events: Message) -> tuple[ServedWebSocket, Peer]:
    """A WebSocket whose handshake has just come in."""
    peer = Peer([CONNECT, *events], 100)
    return ServedWebSocket(dict(SCOPE), peer.receive, peer.send), peer


@pytest.mark.anyio
async def test_accepting_early_makes_the_endpoints_accept_a_no_op() -> None:
    """The handshake is accepted once."""
    websocket, peer = connected()
    assert websocket.is_connecting
    await websocket.accept_early()
    await websocket.accept()
    assert [message["type"] for message in peer.sent] == ["websocket.accept"]
    assert websocket.accepted_early


@pytest.mark.anyio
async def test_a_subprotocol_behind_an_early_accept_comes_too_late() -> None:
    """It cannot be told to the peer any more, and the error says how to mend it."""
    websocket, _ = connected()
    await websocket.accept_early()
    with pytest.raises(RuntimeError, match=r"come too late\. Fix: accept in a dependency"):
        await websocket.accept(subprotocol="chat")
    with pytest.raises(RuntimeError, match="come too late"):
        await websocket.accept(headers=[(b"x", b"y")])


@pytest.mark.anyio
async def test_accepting_early_does_nothing_where_it_was_accepted() -> None:
    """A dependency may have accepted, with a subprotocol; a second accept is still the endpoint's mistake."""
    websocket, peer = connected()
    await websocket.accept(subprotocol="chat")
    await websocket.accept_early()
    assert [message.get("subprotocol") for message in peer.sent] == ["chat"]
    assert not websocket.accepted_early
    with pytest.raises(RuntimeError):
        await websocket.accept()


@pytest.mark.anyio
async def test_open_is_between_the_accept_and_either_sides_end() -> None:
    """As far as this side knows: a peer's leaving is known once it is received."""
    websocket, _ = connected({"type": "websocket.disconnect", "code": 1000})
    assert not websocket.is_open
    await websocket.accept()
    assert websocket.is_open
    with pytest.raises(WebSocketDisconnect):
        await websocket.receive_text()
    assert not websocket.is_open
    assert websocket.application_state is WebSocketState.CONNECTED


@pytest.mark.anyio
async def test_a_reason_is_cut_to_what_a_close_frame_can_hold() -> None:
    """123 bytes, at the end of a character (RFC 6455, section 5.5): servers refuse to send more, and the peer would see 1006."""
    websocket, peer = connected()
    await websocket.accept()
    await websocket.close(1008, "ä" * 100)
    assert peer.sent[-1] == {"type": "websocket.close", "code": 1008, "reason": "ä" * 61}


@pytest.mark.anyio
@pytest.mark.parametrize("code", [-1, 0, 403, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
async def test_a_code_that_no_close_frame_may_hold_is_refused(code: int) -> None:
    """RFC 6455, section 7.4; the session is still open, so that it can be closed otherwise."""
    websocket, peer = connected()
    await websocket.accept()
    with pytest.raises(ValueError, match=rf"{code} is no code that a close frame may hold\. Fix: "):
        await websocket.close(code)
    await websocket.close(4999)
    assert peer.sent[-1]["code"] == 4999


@pytest.mark.anyio
async def test_before_the_accept_any_code_is_a_403() -> None:
    """No close frame is sent then, and FastAPI's users write `WebSocketException(403)`."""
    websocket, peer = connected()
    await websocket.close(403)
    assert peer.sent == [{"type": "websocket.close", "code": 403, "reason": ""}]


@pytest.mark.parametrize("client", WebSocketState)
@pytest.mark.parametrize("application", WebSocketState)
def test_a_session_is_over_when_nothing_can_be_said_any_more(client: WebSocketState, application: WebSocketState) -> None:
    """Neither an answer to the handshake nor a frame."""
    websocket = ServedWebSocket(SCOPE, None, None)  # type: ignore[arg-type]  # nothing is received or sent
    websocket.client_state, websocket.application_state = client, application
    assert websocket.is_over is not (websocket.is_connecting or websocket.is_open)
