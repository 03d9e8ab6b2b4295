"""What an application answers to a handshake."""

from __future__ import annotations

import json

import pytest
from starlette.datastructures import Headers

from wscontrollers.testing import Refusal


def test_a_refusal_is_an_http_answer() -> None:
    """Status, headers whatever their case, body as bytes, text and JSON."""
    refusal = Refusal(401, Headers({"x-why": "ü"}), '{"detail":"wér?"}'.encode())
    assert (refusal.status, refusal.headers["X-Why"]) == (401, "ü")
    assert refusal.text == '{"detail":"wér?"}'
    assert refusal.json() == {"detail": "wér?"}


def test_a_body_that_is_no_json_says_so() -> None:
    """The error is the decoder's own."""
    with pytest.raises(json.JSONDecodeError):
        Refusal(500, Headers(), b"Internal Server Error").json()
