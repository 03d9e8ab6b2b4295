"""What one frame may hold, and what a first message may be."""

from typing import Final, NamedTuple

DEEPEST, LONGEST = 200, 4300
"""The most levels, and digits of an integer, that can be allowed: with little more pydantic's JSON parser refuses by itself."""


class FrameLimits(NamedTuple):
    """What one frame may hold.

    Attributes:
        depth: Objects and arrays within each other, the frame's own object included.
        digits: Digits of an integer.
    """

    depth: int = 64
    digits: int = LONGEST


class FirstMessageLimits(NamedTuple):
    """What a first message may be.

    Attributes:
        size: Its bytes; None is as many as the server takes.
        seconds: How long it is waited for where nothing else is said; None is for ever.
        frame: What it may hold.
    """

    size: int | None = 64 * 1024
    seconds: float | None = 10.0
    frame: FrameLimits = FrameLimits()


DEFAULT_FRAME_LIMITS: Final = FrameLimits()

DEFAULT_FIRST_MESSAGE_LIMITS: Final = FirstMessageLimits()

OWN_FRAME_LIMITS: Final = FrameLimits(DEEPEST, LONGEST)
"""Those of frames that this side has written itself."""
