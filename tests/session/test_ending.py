"""How a session ended."""

from __future__ import annotations

import pytest
from websockets.frames import CloseCode

from wscontrollers.session import Ended
from wscontrollers.session.ending import shortened


def test_a_code_is_a_number() -> None:
    """Whatever a server's parser has for it."""
    ended = Ended.by_peer(CloseCode.PROTOCOL_ERROR, "no mask")
    assert repr(ended) == "Ended(by='client', code=1002, reason='no mask', exception=None)"


@pytest.mark.parametrize(("code", "by"), [(1000, "client"), (1005, "client"), (4000, "client"), (1006, "network")])
def test_a_broken_connection_is_the_networks(code: int, by: str) -> None:
    """1006 is no close that a peer sends (RFC 6455, section 7.4.1)."""
    assert Ended.by_peer(code, "r") == Ended(by, code, "r")  # type: ignore[arg-type]


def test_a_server_that_ends_is_no_client() -> None:
    """1012 without a reason is what a server says to all; with one a client said it."""
    assert Ended.by_peer(1012, "") == Ended("server", 1012)
    assert Ended.by_peer(1012, "r") == Ended("client", 1012, "r")


def test_a_reason_fits_into_a_close_frame() -> None:
    """At most 123 bytes of UTF-8, never half a character."""
    assert shortened("short") == "short"
    assert shortened("ä" * 100) == "ä" * 61
