"""What is kept of a group, as messages."""

from __future__ import annotations

import pytest

from wscontrollers import Message
from wscontrollers.groups import Group, Groups, History, Kept


class Said(Message):
    n: int


async def test_history_is_read_as_what_was_published() -> None:
    """The oldest first, since a mark, at most so many; a mark that is too old, or none, gives all that is kept."""
    groups = Groups(None, [Group("news", history=History(size=3), sends=[Said])])
    marks = [(await groups.publish("news", Said(n=n))).mark for n in range(5)]
    kept = await groups.history("news")
    assert kept == [Kept(Said(n=n), marks[n] or "") for n in (2, 3, 4)]
    assert [each.message.n for each in await groups.history("news", since=marks[3])] == [4]
    assert [each.message.n for each in await groups.history("news", limit=1)] == [2]
    assert await groups.history("news", since=marks[0]) == kept
    assert await groups.history("news", since="nonsense") == kept
    assert await groups.history("news", limit=0) == []
    with pytest.raises(ValueError, match=r"limit=-1\): it is no number of messages. Fix: "):
        await groups.history("news", limit=-1)
    await groups.close()


async def test_without_declared_types_there_are_fields() -> None:
    """A group that does not say what is published to it gives dicts; one without a history gives nothing."""
    groups = Groups(None, [Group("news", history=History())])
    await groups.publish("news", Said(n=1))
    await groups.publish("other", Said(n=1))
    assert [each.message for each in await groups.history("news")] == [{"type": "said", "n": 1}]
    assert await groups.history("other") == []
    await groups.close()


async def test_what_was_for_some_is_not_for_who_reads_the_history() -> None:
    """Only if it is asked for; a limit counts what is given out, so that pages can be read one after the other."""
    groups = Groups(None, [Group("news", history=History(), sends=[Said])])
    for n in range(8):
        await groups.publish("news", Said(n=n), to="user:ann" if n % 4 else None, exclude="user:bob" if n == 4 else ())
    assert [each.message.n for each in await groups.history("news")] == [0, 4]
    first = await groups.history("news", limit=1)
    assert [each.message.n for each in first] == [0]
    assert [each.message.n for each in await groups.history("news", since=first[0].mark, limit=1)] == [4]
    whispers = await groups.history("news", whispers=True, limit=3)
    assert [(each.message.n, each.to) for each in whispers] == [(0, None), (1, "user:ann"), (2, "user:ann")]
    await groups.close()
