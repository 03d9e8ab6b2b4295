"""Where presence is kept in an engine."""

from __future__ import annotations

import pytest

from wscontrollers.groups import names
from wscontrollers.groups.presence.places import NODES, channel_of, group_of, index_of, space_of


@pytest.mark.parametrize("group", ["tea", "p:tea", "g:tea", "presence:g:tea", "c:everybody"])
def test_the_channel_of_a_group_is_nobody_elses(group: str) -> None:
    """It leads back to its group, and is neither the channel of a group's messages nor the one that all have."""
    assert group_of(channel_of(group)) == group
    assert channel_of(group) not in (names.channel_of(group), names.EVERYBODY)
    assert group_of(names.channel_of(group)) is None
    assert group_of(names.EVERYBODY) is None


def test_spaces_do_not_meet() -> None:
    """Groups, nodes and the list of nodes are apart, whatever they are called."""
    assert len({space_of("x"), index_of("x"), NODES}) == 3
    assert len(space_of("x" * names.MAX_LENGTH)) <= 200
