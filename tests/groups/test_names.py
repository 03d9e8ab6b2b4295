"""The names of groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.groups.names import EVERYBODY, MAX_LENGTH, channel_of, checked, group_of, own


@given(st.text(min_size=1, max_size=MAX_LENGTH).filter(str.isprintable))
def test_a_channel_stands_for_one_group(name: str) -> None:
    """Every printable name is one, and its channel leads back to it."""
    assert group_of(channel_of(checked(name))) == name
    assert group_of(EVERYBODY) is None


@pytest.mark.parametrize("name", ["", "a\tb", "\ud800", "x" * (MAX_LENGTH + 1), None, 7])
def test_what_is_no_name(name: object) -> None:
    """The error says how to make one, and repeats little of what was given."""
    with pytest.raises(ValueError, match=r"it is no name. Fix: use 1 to 180 printable characters") as caught:
        checked(name)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["user:ann", "session:0123"])
def test_some_names_are_not_for_joining(name: str) -> None:
    """A user's sessions are a group that one is put into by `identify`."""
    assert checked(name) == name
    with pytest.raises(ValueError, match=r"call session\.identify"):
        own(name)
