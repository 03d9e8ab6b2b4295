"""What no frame may hold: too many levels, and numbers that are none."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import isfinite
from typing import Any, Final, cast

MAX_DEPTH: Final = 64
"""Objects and arrays within each other, the frame's own object included."""

_QUICK_LENGTH: Final = 2 * MAX_DEPTH
# Also a string that never ends is one: from each quote in it the search would run to the end again.
_STRING: Final = re.compile(r'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL)

_STEPS: Final = bytes({ord("["): 1, ord("{"): 1, ord("]"): 0xFF, ord("}"): 0xFF}.get(byte, 0) for byte in range(256))
"""One level down or up, as signed bytes."""


def is_too_deep(text: str) -> bool:
    """Whether a JSON text has more levels than `MAX_DEPTH`; text that is no JSON may answer either way.

    It takes time in proportion to the text, and no stack.
    """
    if len(text) <= _QUICK_LENGTH or text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    steps = array("b", _STRING.sub("", text).encode("utf-8", "replace").translate(_STEPS))
    return max(accumulate(steps), default=0) > MAX_DEPTH


_TOO_GREAT: Final = re.compile(r"[eE]\+?\d{3}|\d{300}")


def may_overflow(text: str) -> bool:
    """Whether a JSON text may have a number that is beyond those of 64 bits, and would be read as infinity."""
    return _TOO_GREAT.search(text) is not None


# Each level of MessagePack has one of these bytes for its head: maps and arrays that are not empty.
_HEADS: Final = bytes([*range(0x81, 0x90), *range(0x91, 0xA0), *range(0xDC, 0xE0)])
_NOT_HEADS: Final = bytes(byte for byte in range(256) if byte not in _HEADS)
_NOT_FINITE: Final = re.compile(rb"\xca[\x7f\xff][\x80-\xff]|\xcb[\x7f\xff][\xf0-\xff]", re.DOTALL)


def may_exceed(data: bytes) -> bool:
    """Whether MessagePack data may have too many levels or a number that is not finite; then `fault_of` tells."""
    return len(data.translate(None, _NOT_HEADS)) >= MAX_DEPTH or _NOT_FINITE.search(data) is not None


def fault_of(value: Any) -> str | None:
    """What is wrong with a decoded value, if anything: too many levels, or NaN or Infinity in it."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        if not all(isfinite(item) for item in level if isinstance(item, float)):
            return "NaN and Infinity are no numbers here"
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return None
    return f"more than {MAX_DEPTH} levels" if any(isinstance(item, dict | list) for item in level) else fault_of(level)


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return cast("Mapping[str, Any]", item).values()
    return cast("Iterable[Any]", item) if isinstance(item, list) else ()
