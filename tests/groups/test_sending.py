"""What may be published to a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from wscontrollers import Message
from wscontrollers.groups import Group, Groups, History


class Said(Message):
    text: str


class Loud(Said):
    pass


class Left(BaseModel):
    type: Literal["left"] = "left"


@dataclass
class Came:
    type: Literal["came"] = "came"


class Moved(TypedDict):
    type: Literal["moved"]


Sent = Annotated[Said | Left, Field(discriminator="type")]


async def test_a_group_takes_the_types_that_it_declares() -> None:
    """Whatever way they are named; its history has each of them."""
    groups = Groups(None, [Group("tea:{n}", history=History(), sends=[Sent, Came, Moved])])
    sent = [Said(text="a"), Left(), Came(), Moved(type="moved")]
    for message in sent * 2:
        await groups.publish("tea:1", message)
    assert [kept.message for kept in await groups.history("tea:1")] == sent * 2
    await groups.close()


@pytest.mark.parametrize("message", [Loud(text="a"), {"type": "other"}])
async def test_a_type_that_it_does_not_declare_is_refused(message: object) -> None:
    """A client does not expect it, and it would be missing in the history, without a word."""
    groups = Groups(None, [Group("tea", sends=[Said, Moved]), Group("other", sends=[Loud])])
    with pytest.raises(
        TypeError, match=r"group 'tea': \w+ is not among the types .* Fix: add it .*Group\('tea', sends=\[\.\.\., "
    ):
        await groups.publish("tea", message)
    await groups.close()


async def test_a_group_that_declares_none_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one of which nothing is declared; what is remembered of them is bounded."""
    monkeypatch.setattr("wscontrollers.groups.groups.SEEN", 2)
    groups = Groups(None, [Group("tea")])
    for name in ("tea", "user:ann", "a", "b"):
        await groups.publish(name, Said(text="a"))
    assert len(groups._sendable) == 2
    await groups.close()
