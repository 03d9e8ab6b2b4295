"""The example `auth`."""

from __future__ import annotations

import pytest

from examples.auth.app import make_app
from wscontrollers import WebSocketDisconnect
from wscontrollers.testing import TestClient, WebSocketDenialResponse

TOKENS = {"ann": "tea", "bob": "milk"}


def test_a_program_shows_its_token_in_a_header() -> None:
    """The token names the user before the handshake is accepted."""
    headers = {"Authorization": "Bearer milk"}

    with TestClient(make_app(TOKENS)) as client, client.websocket_connect("/greetings/program", headers=headers) as session:
        assert session.receive_json() == {"hello": "bob"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer water"}, {"Authorization": "Basic dGVh"}])
def test_a_program_without_a_known_token_gets_401(headers: dict[str, str]) -> None:
    """A stranger is answered with HTTP, and sees no session."""
    with (
        TestClient(make_app(TOKENS)) as client,
        pytest.raises(WebSocketDenialResponse) as denied,
        client.websocket_connect("/greetings/program", headers=headers),
    ):
        pass

    assert denied.value.status_code == 401
    assert denied.value.headers["www-authenticate"] == "Bearer"


def test_a_page_shows_its_token_in_the_first_message() -> None:
    """The first frame names the user, because a browser cannot send headers."""
    with TestClient(make_app(TOKENS)) as client, client.websocket_connect("/greetings/page") as session:
        session.send_json({"token": "tea"})

        assert session.receive_json() == {"hello": "ann"}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ('{"token": "water"}', "unknown token"),
        ('{"password": "tea"}', "first message: token: missing"),
        ("tea", "first message: not JSON"),
    ],
)
def test_a_page_without_a_known_token_is_closed(frame: str, reason: str) -> None:
    """A stranger is closed with 1008, and the reason says why."""
    with TestClient(make_app(TOKENS)) as client, client.websocket_connect("/greetings/page") as session:
        session.send_text(frame)

        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()

    assert (closed.value.code, closed.value.reason) == (1008, reason)
