"""A session as one process keeps it for another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.session.resuming.kept import MOST, Asked, Flat, Kept, Place, newest

ASKED = Asked("0123456789abcdef", 3, 5, b"https://a", ("", "/room"), ["wsc.v1+json"])
KEPT = Kept(
    ASKED.session,
    frozenset({3}),
    3,
    ASKED.origin,
    ASKED.place,
    "wsc.v1+json",
    0,
    2,
    7,
    [Flat("six"), Flat("seven")],
    [],
    None,
    [],
    30.0,
    1000.0,
)


@given(
    texts=st.lists(st.text() | st.binary(), max_size=4),
    user=st.none() | st.text(min_size=1),
    info=st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=4),
    origin=st.none() | st.binary(),
)
def test_what_was_written_is_read(texts: list[str | bytes], user: str | None, info: Any, origin: bytes | None) -> None:
    """Texts, bytes and whatever was given for presence."""
    frames = [Flat(text=each) if isinstance(each, str) else Flat(data=each) for each in texts]
    kept = replace(KEPT, frames=frames, preface=frames, user=user, origin=origin, groups=[Place("g", "e", 1, info), Place("h")])

    assert Kept.decode(kept.encode()) == kept


def test_what_is_no_session_is_none() -> None:
    """Somebody else published to the channel, or another version."""
    assert Kept.decode(b"nonsense") is None
    assert Kept.decode(b"{}") is None


@pytest.mark.parametrize(
    ("change", "admits"),
    [
        ({}, True),
        ({"ticket": 2}, False),
        ({"origin": None}, False),
        ({"place": ("", "/other")}, False),
        ({"subprotocols": []}, False),
        ({"subprotocols": ["x", "wsc.v1+json"]}, True),
        ({"received": 7}, True),
        ({"received": 8}, False),
        ({"received": -1}, False),
    ],
)
def test_a_client_may_go_on_with_its_own_session_alone(change: dict[str, Any], admits: bool) -> None:
    """By a good ticket, from the same page, at the same path, in the same subprotocol, with a count that can be."""
    assert KEPT.admits(replace(ASKED, **change)) is admits


def test_as_many_frames_go_along_as_an_engine_carries() -> None:
    """The newest ones, in their order."""
    frames: list[Any] = [{"text": "a"}, {"text": "x" * (MOST - 7)}, {"bytes": b"b"}, {"text": "c"}]

    assert newest(frames) == [Flat.of(frame) for frame in frames[1:]]
    assert newest([]) == []
    assert Flat(data=b"b").event("websocket.send") == {"type": "websocket.send", "bytes": b"b"}
