"""The types of a union: annotations, tags of plain types, faults."""

from __future__ import annotations

import sys
import typing
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union

import pytest
from pydantic import BaseModel, Discriminator, Field
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import Message, MessageUnion
from wscontrollers.messages.members import members_of

ItemT = TypeVar("ItemT")


class Say(Message):
    text: str


class Rename(Message):
    name: str


class Page(Message, Generic[ItemT]):
    items: list[ItemT]


class Plain(BaseModel):
    type: Literal["plain", "simple"]


@dataclass
class Data:
    type: Literal["data"]


@pydantic_dataclass
class Checked:
    kind: Literal["checked"] = Field(alias="type")


class Dict(TypedDict):
    type: Literal["dict"]


Alias = TypeAliasType("Alias", Say | Rename)
Listed = TypeAliasType("Listed", Page[ItemT] | Say, type_params=(ItemT,))
Named = NewType("Named", Say)


ANNOTATIONS: list[tuple[Any, list[Any]]] = [
    (Say, [Say]),
    (Say | Rename, [Say, Rename]),
    (Union[Say, Rename], [Say, Rename]),  # noqa: UP007 - the other spelling
    ([Say, Rename], [Say, Rename]),
    ((Say, Rename | Say), [Say, Rename]),
    (Annotated[Say | Rename, Field(discriminator="type")], [Say, Rename]),
    (Annotated[Say | Rename, Discriminator("type")], [Say, Rename]),
    (Alias, [Say, Rename]),
    (Listed[int], [Page[int], Say]),
    (Named, [Say]),
    ([], []),
]


@pytest.mark.parametrize(("annotation", "expected"), ANNOTATIONS)
def test_annotations(annotation: Any, expected: list[Any]) -> None:
    """A union is written as one, as a list, with `Annotated`, or by aliases; each type counts once."""
    assert [member.cls for member in members_of(annotation, "here")] == expected


def test_tags_of_plain_types() -> None:
    """Models, data classes and typed dictionaries have their tags in a `Literal` that is `type` on the wire."""
    members = members_of([Plain, Data, Checked, Dict], "here")

    assert [(member.kind, member.tags) for member in members] == [
        ("model", ("plain", "simple")),
        ("dataclass", ("data",)),
        ("dataclass", ("checked",)),
        ("typed dict", ("dict",)),
    ]


def test_tags_from_an_enum() -> None:
    """A member of an enumeration of texts is a tag as well."""

    class Kind(StrEnum):
        ONE = "one"

    class First(BaseModel):
        type: Literal[Kind.ONE]

    assert members_of(First, "here")[0].tags == ("one",)
    read = MessageUnion([First]).validator.validate_json
    assert read('{"type": "one"}') == First(type=Kind.ONE)


class Colour(Enum):
    RED = "red"


class Coloured(BaseModel):
    type: Literal[Colour.RED]


class Untagged(BaseModel):
    type: str


class Numbered(BaseModel):
    type: Literal[1]


class Reserved(BaseModel):
    type: Literal["error"]


class Referring(BaseModel):
    type: Literal["referring"]
    ref: str


class SayAgain(Message, tag="say"):
    pass


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (int, "int is no message"),
        (Any, "Any is no message"),
        (Optional[Say], "NoneType"),  # noqa: UP045 - the other spelling
        (Message, "Message is no message"),
        (Untagged, r'Untagged has no tag\. Fix: give it a field `type: Literal\["\.\.\."\]`, or derive it from Message'),
        (Numbered, "Numbered has the tag 1"),
        (Coloured, r"Coloured has the tag Colour\.RED, .* Fix: derive it from str: class Colour\(str, Enum\), or StrEnum"),
        (Reserved, "Reserved: the tag 'error' belongs to the framework's own frames"),
        (Referring, r"Referring\.ref: 'ref' is a name of the frame itself"),
        (Say | SayAgain, "Say and SayAgain have the same tag 'say'"),
        (Page[int] | Page[str], r"same tag 'page'\. Fix: give each a class of its own: class OtherPage\(Page\[str\]\)"),
    ],
)
def test_faults(annotation: Any, what: str) -> None:
    """What cannot be a message, or be told from another, is refused with a fix."""
    with pytest.raises(DeclarationError, match=what):
        members_of(annotation, "here")


def test_all_faults_at_once() -> None:
    """One error lists every fault of a union, each with its place."""
    with pytest.raises(DeclarationError) as caught:
        members_of([int, Untagged, Say, SayAgain], "Rooms.open")
    assert [fault.where for fault in caught.value.faults] == ["Rooms.open"] * 3


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic reads both from Python 3.12 on")
def test_the_typed_dict_of_typing() -> None:
    """Before Python 3.12 pydantic cannot read it, and the fix is the import."""

    class Old(typing.TypedDict):
        type: Literal["old"]

    with pytest.raises(DeclarationError, match=r"the TypedDict of typing\. Fix: write from typing_extensions import TypedDict"):
        members_of(Old, "here")


def test_names_that_nobody_knows() -> None:
    """A forward reference that cannot be resolved is a fault, not an error of pydantic's at the first frame."""

    class Lost(Message):
        to: Nowhere  # type: ignore[name-defined]  # noqa: F821 - the point of the test

    with pytest.raises(DeclarationError, match=r"here: .*Nowhere.* Fix: define the names"):
        members_of(Lost, "here")
