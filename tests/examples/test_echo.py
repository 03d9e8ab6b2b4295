"""The example `echo`."""

from __future__ import annotations

import pytest

from examples.echo.app import app
from wscontrollers import WebSocketDisconnect
from wscontrollers.testing import TestClient


def test_it_answers() -> None:
    """Each text comes back with the name of the path, as often as the query asks for."""
    with TestClient(app) as client, client.websocket_connect("/echo/ann?times=2") as session:
        session.send_text("hi")

        assert [session.receive_text(), session.receive_text()] == ["ann: hi", "ann: hi"]


def test_its_parameters_are_checked() -> None:
    """A number beyond the bound closes the session before it is accepted."""
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/echo/ann?times=11"):
        pass

    assert closed.value.code == 1008
