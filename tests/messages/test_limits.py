"""Too many levels, and numbers that are none."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from wscontrollers.messages.limits import MAX_DEPTH, fault_of, is_too_deep, may_exceed


def nested(levels: int) -> Any:
    value: Any = []
    for level in range(levels - 1):
        value = {"k": value} if level % 2 else [value]
    return value


@pytest.mark.parametrize(("levels", "refused"), [(1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (150, True)])
def test_levels(levels: int, refused: bool) -> None:
    """64 objects and arrays within each other are allowed, one more is not, in JSON as in decoded values."""
    assert is_too_deep(to_json(nested(levels)).decode()) is refused
    assert (fault_of(nested(levels)) is not None) is refused


def test_brackets_in_strings_are_text() -> None:
    """Only brackets of JSON count, whatever a string holds: quotes, backslashes, lines."""
    assert not is_too_deep(to_json(["[" * 100, '"[\\"' * 100, "{\n" * 100]).decode())
    assert not is_too_deep(to_json([[] for _ in range(1000)]).decode())


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '"' + '\\"' * 50_000 + "[" * 100, '"' * 100_001 + "[" * 100, "\\" * 100_000 + "[" * 99]
)
def test_it_ends_soon_whatever_the_text(text: str) -> None:
    """Neither brackets nor quotes without an end make the search start again and again."""
    assert isinstance(is_too_deep(text), bool)


@given(
    st.recursive(
        st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_values_within_the_limits_have_no_fault(value: Any) -> None:
    """What hypothesis nests stays below the limit, and passes."""
    assert fault_of(value) is None
    assert not is_too_deep(to_json(value).decode())


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_numbers_that_are_none(number: float) -> None:
    """NaN and Infinity are found at any level."""
    assert fault_of({"a": [{"b": number}]}) == "NaN and Infinity are no numbers here"


def test_messagepack_is_looked_through_only_where_it_may_exceed() -> None:
    """A text of common letters has no byte that could open a level; NaN and 64 heads have."""
    assert not may_exceed(b"\x81\xa4text\xa5hello")
    assert may_exceed(b"\xcb\x7f\xf8" + b"\x00" * 6)
    assert may_exceed(b"\xca\x7f\xc0\x00\x00")
    assert may_exceed(b"\x91" * MAX_DEPTH + b"\x90")
