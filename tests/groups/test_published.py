"""What is known of a publication."""

from __future__ import annotations

from wscontrollers import Message
from wscontrollers.groups import Group, Groups, History, Published


class Said(Message):
    n: int


async def test_without_members_nobody_hears() -> None:
    """It is taken all the same; a group with a history says at which place."""
    groups = Groups(None, [Group("kept", history=History())])
    assert await groups.publish("plain", Said(n=1)) == Published(0, 0, None)
    first, second = [await groups.publish("kept", Said(n=n)) for n in (1, 2)]
    assert first.mark != second.mark
    assert first.mark is not None
    await groups.close()
