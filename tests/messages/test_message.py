"""`Message`: tags, policies and the names that belong to the frame."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import Message, latest, outbox_policy_of, tag_of

ItemT = TypeVar("ItemT")


def test_the_tag_is_the_name_in_snake_case() -> None:
    """A message without a tag of its own has its class's name, in snake case."""

    class RoomFull(Message):
        pass

    assert tag_of(RoomFull) == "room_full"


def test_a_tag_of_its_own() -> None:
    """`tag=` says otherwise, and a subclass has its own again."""

    class Say(Message, tag="chat.say"):
        pass

    class Shout(Say):
        pass

    assert [tag_of(Say), tag_of(Shout)] == ["chat.say", "shout"]


def test_the_tag_is_no_field() -> None:
    """A message is the user's model and nothing more: its fields, equality and repr know no tag."""

    class Say(Message):
        text: str

    assert list(Say.model_fields) == ["text"]
    assert repr(Say(text="x")) == "Say(text='x')"
    assert Say(text="x") == Say(text="x")
    assert Say(text="x").model_dump() == {"text": "x"}


def test_a_generic_message_has_the_tag_of_its_origin() -> None:
    """`Page[int]` is a "page"."""

    class Page(Message, Generic[ItemT], outbox="drop_oldest"):
        items: list[ItemT]

    assert tag_of(Page[int]) == "page"
    assert outbox_policy_of(Page[int]) == "drop_oldest"


def test_the_policy_is_inherited() -> None:
    """What happens to a message when the outbox is full is said once; None leaves it to the controller."""

    class Price(Message, outbox=latest(key="symbol")):
        symbol: str

    class Bid(Price):
        pass

    class Say(Message):
        pass

    assert outbox_policy_of(Bid) == latest(key="symbol")
    assert outbox_policy_of(Say) is None
    assert outbox_policy_of(int) is None


def test_configuration_as_class_keywords() -> None:
    """Pydantic's own class keywords go on working beside ours."""

    class Say(Message, tag="s", extra="forbid", title="S"):
        text: str

    assert Say.model_config["extra"] == "forbid"
    assert Say.model_config["val_json_bytes"] == "base64"


@pytest.mark.parametrize(
    "tag", ["ok", "end", "error", "cancel", "credit", "gap", "going_away", "recover", "recovered", "presence"]
)
def test_reserved_tags(tag: str) -> None:
    """The tags of the framework's own frames are refused."""
    with pytest.raises(DeclarationError, match=rf"the tag '{tag}' belongs to the framework's own frames\. Fix: "):

        class Mine(Message, tag=tag):
            pass


def test_a_reserved_tag_by_name() -> None:
    """The name of a class can be a reserved tag as well."""
    with pytest.raises(DeclarationError, match=r"class .*GoingAway\(Message\): the tag 'going_away' belongs"):

        class GoingAway(Message):
            pass


@pytest.mark.parametrize("tag", ["", 3, b"say", "a\x00", "\ud800"])
def test_tags_that_are_none(tag: Any) -> None:
    """A tag is a text that can be read."""
    with pytest.raises(DeclarationError, match="the tag is "):

        class Mine(Message, tag=tag):
            pass


@pytest.mark.parametrize("name", ["type", "ref", "re", "mark"])
def test_reserved_fields(name: str) -> None:
    """A field with a name of the frame is refused, with an alias as the fix; by its alias and by a generator's too."""
    with pytest.raises(DeclarationError, match=rf"Named\.{name}: '{name}' is a name of the frame.*Fix: .*alias=\"{name}_\""):
        type("Named", (Message,), {"__annotations__": {name: str}, "__module__": __name__})

    with pytest.raises(DeclarationError, match=rf"Aliased\.kind: '{name}' is a name of the frame"):

        class Aliased(Message):
            kind: str = Field(alias=name)  # type: ignore[literal-required]  # a name by parameter

    with pytest.raises(DeclarationError, match=rf"Generated\.kind: '{name}' is a name of the frame"):

        class Generated(Message):
            model_config = ConfigDict(alias_generator=lambda _: name)
            kind: str

    with pytest.raises(DeclarationError, match=rf"Computed\.kind: '{name}' is a name of the frame"):

        class Computed(Message):
            @computed_field(alias=name)
            def kind(self) -> int:
                return 1


def test_an_alias_mends_a_reserved_name() -> None:
    """A field may be called `type` in Python when the wire knows it by another name, and by no other."""

    class Say(Message):
        type: str = Field(alias="kind")

    assert Say(kind="x").type == "x"

    with pytest.raises(DeclarationError, match=r"Both\.type"):

        class Both(Message, populate_by_name=True):
            type: str = Field(alias="kind")


def test_every_reserved_field_is_told_at_once() -> None:
    """Two faults in one class are one error."""
    with pytest.raises(DeclarationError) as caught:

        class Say(Message):
            ref: str
            mark: str

    assert len(caught.value.faults) == 2


def test_names_that_come_later() -> None:
    """A class with a forward reference is checked when it is complete."""

    class Say(Message):
        to: Member
        ref: str

    class Member(BaseModel):
        pass

    with pytest.raises(DeclarationError, match=r"Say\.ref"):
        Say.model_rebuild()


@pytest.mark.parametrize("outbox", ["never", 3, ["close"]])
def test_policies_that_are_none(outbox: Any) -> None:
    """A policy is one of the four."""
    with pytest.raises(DeclarationError, match="is no outbox policy"):

        class Price(Message, outbox=outbox):
            pass


def test_a_key_that_is_no_field() -> None:
    """`latest(key=...)` names a field of the message."""
    with pytest.raises(DeclarationError, match=r"latest\(key='symbl'\) names no field\. Fix: name one of symbol"):

        class Price(Message, outbox=latest(key="symbl")):
            symbol: str


def test_a_key_whose_values_have_no_hash() -> None:
    """Messages cannot be told apart by it: refused with the class, also where its field or its type comes later."""
    refused = pytest.raises(DeclarationError, match=r"latest\(key='symbols'\): the values of \S+\.symbols cannot be .*Fix: ")
    with refused:

        class Price(Message, outbox=latest(key="symbols")):
            symbols: list[str]

    class Base(Message, outbox=latest(key="symbols")):
        symbols: Any

    with refused:

        class Narrow(Base):
            symbols: set[str]

    class Late(Message, outbox=latest(key="symbols")):
        symbols: list[Symbol]

    class Symbol(BaseModel):
        name: str

    with refused:
        Late.model_rebuild()

    class Other(Base, outbox="close"):
        symbols: list[str]


def test_what_has_no_tag() -> None:
    """`Message` itself and other classes have no tag."""
    for cls in (Message, int):
        with pytest.raises(DeclarationError, match="it has no tag"):
            tag_of(cls)
