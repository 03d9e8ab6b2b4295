"""Whether a frame holds what none may: too many levels, too long an integer, and numbers that are none."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import accumulate
from math import isfinite
from typing import Any, Final, cast

from .limits import DEFAULT_FRAME_LIMITS, LONGEST, FrameLimits

# Also a string that never ends is one: from each quote in it the search would run to the end again.
_STRING: Final = re.compile(r'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL)

_STEPS: Final = bytes({ord("["): 1, ord("{"): 1, ord("]"): 0xFF, ord("}"): 0xFF}.get(byte, 0) for byte in range(256))
"""One level down or up, as signed bytes."""


def is_too_deep(text: str, depth: int = DEFAULT_FRAME_LIMITS.depth) -> bool:
    """Whether a JSON text has more levels than `depth`; text that is no JSON may answer either way.

    It takes time in proportion to the text, and no stack.
    """
    if len(text) <= 2 * depth or text.count("[") + text.count("{") <= depth:
        return False
    steps = array("b", _STRING.sub("", text).encode("utf-8", "replace").translate(_STEPS))
    return max(accumulate(steps), default=0) > depth


def suspicion(limits: FrameLimits, *, of_infinity: bool) -> Callable[[str], bool] | None:
    """What tells whether a JSON text may have a number that is too great; then `fault_of` has a look. None if none can be.

    Args:
        limits: Those of the frame. Of integers with more digits than `LONGEST` the parser tells itself.
        of_infinity: Whether a number beyond those of 64 bits, which would be read as infinity, is one.
    """
    longest = min(limits.digits + 1, _MANY_DIGITS) if of_infinity else limits.digits + 1
    if longest > LONGEST:
        return None
    digits = rf"(?<![0-9])[0-9]{{{longest}}}"  # only where a run begins: else each of its digits would be tried
    found = re.compile(rf"[eE]\+?[0-9]{{3}}|{digits}" if of_infinity else digits).search
    return lambda text: found(text) is not None


_MANY_DIGITS: Final = 200
"""A number with fewer, and an exponent of two digits, is no infinity as one of 64 bits (which ends at 1.8e308)."""


# Each level of MessagePack has one of these bytes for its head: maps and arrays that are not empty.
_HEADS: Final = bytes([*range(0x81, 0x90), *range(0x91, 0xA0), *range(0xDC, 0xE0)])
_NOT_HEADS: Final = bytes(byte for byte in range(256) if byte not in _HEADS)
_NOT_FINITE: Final = re.compile(rb"\xca[\x7f\xff][\x80-\xff]|\xcb[\x7f\xff][\xf0-\xff]", re.DOTALL)


def may_exceed(data: bytes, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> bool:
    """Whether MessagePack data may have too many levels or a number that is not finite or too long; then `fault_of` tells."""
    return (
        len(data.translate(None, _NOT_HEADS)) >= limits.depth
        or limits.digits < _DIGITS_OF_64_BITS
        or _NOT_FINITE.search(data) is not None
    )


_DIGITS_OF_64_BITS: Final = 20
"""MessagePack has no integers with more."""


def fault_of(value: Any, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> str | None:
    """What is wrong with a decoded value, if anything: too many levels, NaN, Infinity or too long an integer in it."""
    level: list[Any] = [value]
    for _ in range(limits.depth):
        fault = _fault_among(level, limits.digits)
        if fault is not None:
            return fault
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return None
    if any(isinstance(item, dict | list) for item in level):
        return f"more than {limits.depth} levels"
    return _fault_among(level, limits.digits)


def _fault_among(values: Iterable[Any], digits: int) -> str | None:
    beyond = _beyond(digits)
    for value in values:
        if isinstance(value, float):
            if not isfinite(value):
                return "NaN and Infinity are no numbers here"
        elif isinstance(value, int) and not -beyond < value < beyond:
            return f"an integer of more than {digits} digits"
    return None


@cache
def _beyond(digits: int) -> int:
    return int(10**digits)


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return cast("Mapping[str, Any]", item).values()
    return cast("Iterable[Any]", item) if isinstance(item, list) else ()
