"""The forms of groups' names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wscontrollers.groups import Group
from wscontrollers.groups.forms import common_name


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("news", "news", "news"),
        ("news", "new", None),
        ("room:{a}", "room:{b}", "room:x"),
        ("room:{a}:x", "{a}:{b}:x", "room:x:x"),
        ("{a}:b", "a:{b}", "a:b"),
        ("{a}:b", "{a}:c", None),
        ("{a}-{b}:x", "{a}:y", None),
        ("{a}{b}", "{a}", "xx"),
        ("a:{b}", "a:", None),
    ],
)
def test_a_name_that_has_both_forms(first: str, second: str, name: str | None) -> None:
    """The shortest one is found, or there is none."""
    assert common_name(first, second) == name
    assert (common_name(second, first) is None) == (name is None)


PATTERNS = st.lists(st.sampled_from(["a", "b", ":", "{}"]), min_size=1, max_size=5).map(
    lambda parts: "".join(part if part != "{}" else f"{{p{index}}}" for index, part in enumerate(parts))
)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, PATTERNS, st.lists(st.text("ab:", min_size=1, max_size=8), max_size=50))
def test_it_agrees_with_what_matches(first: str, second: str, names: list[str]) -> None:
    """The name that is found has both forms; where there is none, no other name has."""
    one, other = Group(first), Group(second)
    found = common_name(first, second)
    if found is None:
        assert [name for name in names if one.match(name) is not None and other.match(name) is not None] == []
    else:
        assert one.match(found) is not None
        assert other.match(found) is not None
