"""The example `inheritance`."""

from __future__ import annotations

from contextlib import suppress

import pytest

from examples.inheritance.feeds import Feed, make_app
from wscontrollers import App, DeclarationError, WebSocketDisconnect
from wscontrollers.testing import TestClient, WebSocketDenialResponse

KEY = "key=open+sesame"


def texts(url: str) -> list[str]:
    """All that an endpoint sends."""
    received: list[str] = []
    with TestClient(make_app()) as client, client.websocket_connect(url) as session, suppress(WebSocketDisconnect):
        while True:
            received.append(session.receive_text())
    return received


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (f"/prices/all?paid=1&{KEY}", ["prices", '{"symbol":"TEA","cents":310}', '{"symbol":"TEA","cents":320}']),
        (f"/prices/last?paid=1&{KEY}", ["prices", '{"symbol":"TEA","cents":320}']),
        (f"/prices/count?paid=1&{KEY}", ["2"]),
        (f"/headlines/last?{KEY}", ["*** Tea is served ***"]),
    ],
)
def test_endpoints_are_inherited(url: str, sent: list[str]) -> None:
    """A subclass has the endpoints of its base and its mixins, with its own type argument; an override keeps the path."""
    assert texts(url) == sent


@pytest.mark.parametrize(
    ("url", "status"), [("/prices/last?paid=1", 403), (f"/prices/last?{KEY}", 402), ("/headlines/last", 403)]
)
def test_guards_add_up(url: str, status: int) -> None:
    """A subclass adds guards; those of its base are asked first, and cannot be lost."""
    with TestClient(make_app()) as client, pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(url):
        pass

    assert denied.value.status_code == status


def test_an_endpoint_is_taken_away() -> None:
    """`name = None` removes the endpoint of the base."""
    with (
        TestClient(make_app()) as client,
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect(f"/headlines/all?{KEY}"),
    ):
        pass


def test_the_base_cannot_be_registered() -> None:
    """An abstract controller is refused with what is missing."""
    with pytest.raises(DeclarationError, match="it is abstract: title has no body yet"):
        App(controllers=[Feed])
