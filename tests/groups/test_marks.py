"""Marks."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.groups.engines.engine import Position
from wscontrollers.groups.marks import Mark

EPOCHS = st.text("abcdefABCDEF0123456789", min_size=1, max_size=32)


@given(st.text(min_size=1, max_size=180).filter(str.isprintable), EPOCHS, st.integers(0, 10**18 - 1))
def test_a_mark_holds_group_epoch_and_offset(group: str, epoch: str, offset: int) -> None:
    """It is a text for URLs and frames, and reads back as what it was made of."""
    mark = Mark(group, Position(epoch, offset))
    assert Mark.read(str(mark)) == mark
    assert str(mark).replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_what_is_no_mark_is_refused(text: str) -> None:
    """Whatever a client sends, it is a mark or a ValueError."""
    try:
        mark = Mark.read(text)
    except ValueError:
        return
    assert mark.group
    assert mark.position.offset >= 0


def test_a_long_mark_is_refused_unread() -> None:
    """No client makes the server decode a book."""
    with pytest.raises(ValueError, match="too long"):
        Mark.read("A" * 1025)
