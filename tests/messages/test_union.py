"""The union of a side: one validator, and each type alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import Message, MessageUnion


class Say(Message):
    text: str


class Forbids(Message, extra="forbid"):
    n: int


class Plain(BaseModel):
    type: Literal["plain", "simple"]


class Dict(TypedDict):
    type: Literal["dict"]


def test_tags_and_types() -> None:
    """`tags` maps the user's tags to classes, in order; control frames are beside them."""
    union = MessageUnion(Annotated[Say | Plain, Field(discriminator="type")])

    tags: list[tuple[str, Any]] = [("say", Say), ("plain", Plain), ("simple", Plain)]
    assert list(union.tags.items()) == tags
    assert union.types == (Say, Plain)
    assert list(union.controls) == ["cancel", "credit", "recover"]
    assert "gap" in MessageUnion([], side="client").controls


def test_one_validation_makes_the_message() -> None:
    """The union's validator goes from the text to the model, and for types that must not see the frame's keys to the object."""
    union = MessageUnion([Say, Forbids])

    assert union.validator.validate_json('{"type":"say","text":"hi","ref":1}') == Say(text="hi")
    assert union.validator.validate_json('{"type":"forbids","n":1}') == {"type": "forbids", "n": 1}
    assert union.fields_of("forbids", {"type": "forbids", "n": 1, "ref": 2, "re": 3, "mark": "m"}) == {"n": 1}


def test_which_classes_tell_their_tag() -> None:
    """A class with one tag does; several tags, dictionaries and types that are read in two steps do not."""
    assert MessageUnion([Say, Forbids, Plain, Dict]).sole_tags == {Say: "say"}


def test_faults_name_the_place() -> None:
    """`where` is in front of each fault."""
    with pytest.raises(DeclarationError, match=r"^Rooms\.open: int is no message"):
        MessageUnion([int], where="Rooms.open")
    with pytest.raises(DeclarationError, match=r"^MessageUnion: int is no message"):
        MessageUnion([int])
