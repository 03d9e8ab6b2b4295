"""Too many levels, too long integers, and numbers that are none."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from wscontrollers.messages.checking import fault_of, is_too_deep, may_exceed, suspicion
from wscontrollers.messages.limits import DEFAULT_FRAME_LIMITS, FrameLimits

MAX_DEPTH = DEFAULT_FRAME_LIMITS.depth


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
    assert may_exceed(b"\x91\x91\x90", FrameLimits(depth=2))
    assert may_exceed(b"\xcd\xff\xff", FrameLimits(digits=3))


@pytest.mark.parametrize("depth", [1, 2, 20, 200])
def test_another_number_of_levels(depth: int) -> None:
    """As many as it says, in JSON as in decoded values; what stands in the last one is still looked at."""
    limits = FrameLimits(depth=depth)
    for levels, refused in ((depth, False), (depth + 1, True)):
        assert is_too_deep(to_json(nested(levels)).decode(), depth) is refused
        assert fault_of(nested(levels), limits) == (f"more than {depth} levels" if refused else None)
    innermost: Any = nan
    for _ in range(depth):
        innermost = [innermost]
    assert fault_of(innermost, limits) == "NaN and Infinity are no numbers here"


@pytest.mark.parametrize("digits", [1, 5, 4300])
def test_digits_of_an_integer(digits: int) -> None:
    """As many as it says, whatever its sign; a float has none, and True is no integer."""
    limits = FrameLimits(digits=digits)
    most = 10**digits - 1
    assert fault_of([most, -most, 1e300, True, "9" * 9000], limits) is None
    for beyond in (most + 1, -most - 1):
        assert fault_of({"a": [beyond]}, limits) == f"an integer of more than {digits} digits"


@pytest.mark.parametrize(
    ("limits", "of_infinity", "text", "suspected"),
    [
        (FrameLimits(), False, "9" * 9000 + "1e999", None),
        (FrameLimits(), True, "[1e308, 12345]", True),
        (FrameLimits(), True, "[1e30, 12345]", False),
        (FrameLimits(), True, "9" * 199, False),
        (FrameLimits(), True, "9" * 200, True),
        (FrameLimits(), True, "1" * 250 + "e99", True),
        (FrameLimits(digits=5), False, "[12345, 1e999]", False),
        (FrameLimits(digits=5), False, "[123456]", True),
        (FrameLimits(digits=5), True, "[123456]", True),
        (FrameLimits(digits=5), True, "1e999", True),
        (FrameLimits(digits=4000), True, "9" * 300, True),
    ],
)
def test_what_makes_a_text_suspicious(limits: FrameLimits, of_infinity: bool, text: str, suspected: bool | None) -> None:
    """Digits and exponents, also those in strings: the value is looked at then. Nobody looks for what the parser tells."""
    found = suspicion(limits, of_infinity=of_infinity)
    assert (None if found is None else found(text)) is suspected


@pytest.mark.parametrize("digits", [199, 4000, 4299])
def test_it_ends_soon_whatever_the_digits(digits: int) -> None:
    """A run of them is looked at from its beginning alone, however many there may be: from each it would take minutes."""
    found = suspicion(FrameLimits(digits=digits), of_infinity=False)
    assert found is not None
    assert not found(("1" * digits + " ") * (32_000_000 // digits))


@given(st.integers(0, 400), st.integers(-20, 400), st.booleans())
def test_no_number_that_is_read_as_infinity_goes_unsuspected(digits: int, exponent: int, is_long: bool) -> None:
    """Digits and an exponent that are both short enough are together no infinity."""
    text = f"{'9' * (digits + 1)}{'.5' if is_long else ''}e{exponent}"
    found = suspicion(FrameLimits(), of_infinity=True)
    assert found is not None
    assert found(text) or isfinite(float(text))


@given(st.integers(), st.integers(1, 30))
def test_no_integer_that_is_too_long_goes_unsuspected(number: int, digits: int) -> None:
    """What `fault_of` would refuse is suspected."""
    limits = FrameLimits(digits=digits)
    for of_infinity in (False, True):
        found = suspicion(limits, of_infinity=of_infinity)
        assert found is not None
        assert found(str(number)) or fault_of(number, limits) is None
