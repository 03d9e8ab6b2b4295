"""What one frame may hold, and what a first message may be."""

from __future__ import annotations

import pytest
from pydantic_core import from_json, to_json

from wscontrollers.messages.limits import DEEPEST, DEFAULT_FIRST_MESSAGE_LIMITS, DEFAULT_FRAME_LIMITS, LONGEST, OWN_FRAME_LIMITS


def test_the_defaults() -> None:
    """64 levels, 4,300 digits; 64 KiB within 10 seconds."""
    assert DEFAULT_FRAME_LIMITS == (64, 4300)
    assert DEFAULT_FIRST_MESSAGE_LIMITS == (65_536, 10.0, DEFAULT_FRAME_LIMITS)


def test_the_parser_ends_where_no_more_may_be_allowed() -> None:
    """What is within the greatest limits is read; of an integer with more digits, it tells itself."""
    assert OWN_FRAME_LIMITS == (DEEPEST, LONGEST)
    assert from_json("[" * DEEPEST + "]" * DEEPEST) is not None
    assert to_json(from_json("9" * LONGEST)) == b"9" * LONGEST
    with pytest.raises(ValueError, match="number out of range"):
        from_json("9" * (LONGEST + 1))
