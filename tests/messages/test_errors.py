"""Codes and the error of a frame."""

from __future__ import annotations

from typing import ClassVar

import pytest

from wscontrollers.messages import ErrorDetail, ErrorFrame, FrameError, code_of, snake_case


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Say", "say"),
        ("RoomFull", "room_full"),
        ("HTTPGone", "http_gone"),
        ("OAuth2Login", "o_auth2_login"),
        ("URL", "url"),
        ("_Private", "private"),
        ("already_snake", "already_snake"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    """Words begin at capitals; a row of capitals is one word."""
    assert snake_case(name) == expected


def test_the_code_of_an_exception() -> None:
    """A declared exception's code is its `code` if that is a text, else its name without `Error`."""

    class RoomFullError(Exception):
        pass

    class Late(Exception):
        code = "too_late"

    class Closed(Exception):
        code: ClassVar[int] = 1008

    class Error(Exception):
        pass

    assert [code_of(cls) for cls in (RoomFullError, Late, Closed, Error)] == ["room_full", "too_late", "closed", "error"]


def test_the_frame_of_an_error() -> None:
    """The frame has `errors` and `re` only where there are any."""
    detail: ErrorDetail = {"loc": ["text"], "type": "missing", "msg": "Field required"}

    assert FrameError("invalid_json", "not JSON").frame() == ErrorFrame("invalid_json", "not JSON")
    assert FrameError("validation", "1 fault", [detail], ref="7").frame() == ErrorFrame(
        "validation",
        "1 fault",
        [detail],
        "7",
    )
    assert FrameError("internal", "no", ref=1).frame("i-1") == ErrorFrame("internal", "no", None, 1, "i-1")
