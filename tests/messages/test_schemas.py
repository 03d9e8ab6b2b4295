"""What a core schema says of a type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    computed_field,
    model_serializer,
    model_validator,
)
from pydantic_core import SchemaSerializer

from wscontrollers.messages.schemas import config_of, holds_anything, holds_bytes, shape_of, with_base64, with_lists


def shape(cls: Any) -> Any:
    return shape_of(TypeAdapter(cls).core_schema)


def test_names_on_the_wire() -> None:
    """A field is read by its aliases and written by its serialization alias; computed fields are only written."""

    class Model(BaseModel):
        plain: int
        both: int = Field(alias="BOTH")
        many: int = Field(validation_alias=AliasChoices("one", AliasPath("two", 0)), serialization_alias="three")
        hidden: int = Field(exclude=True)

        @computed_field
        def total(self) -> int:
            return 1

    assert [(field.name, field.read_as, field.written_as) for field in shape(Model).fields] == [
        ("plain", ("plain",), ("plain",)),
        ("both", ("BOTH",), ("BOTH",)),
        ("many", ("one", "two"), ("three",)),
        ("hidden", ("hidden",), ()),
        ("total", (), ("total",)),
    ]


def test_names_by_configuration() -> None:
    """`validate_by_name`, and writing by name, change what is on the wire."""

    class Model(BaseModel):
        model_config = ConfigDict(validate_by_name=True, serialize_by_alias=False)
        both: int = Field(alias="BOTH")

    field = shape(Model).fields[0]
    assert field.wire_names == ("BOTH", "both")
    assert shape(Model).writes_by_alias is False


def test_which_values_can_be_keys() -> None:
    """Lists, dicts, sets and instances without a hash cannot; where a type says nothing of it, they count as if."""

    @dataclass
    class Loose:
        a: int

    @dataclass(frozen=True)
    class Frozen:
        a: int

    class Model(BaseModel):
        text: str
        maybe: int | None = None
        pair: tuple[int, str]
        frozen: Frozen
        anything: Any
        made: Annotated[list[int], AfterValidator(tuple)]
        items: list[int]
        maybe_items: list[int] | None = None
        either: int | set[int]
        mapping: dict[str, int] = {}
        sequence: Sequence[str]
        pairs: tuple[int, list[int]]
        loose: Loose

    fields = shape(Model).fields
    assert [field.name for field in fields if field.has_hash] == ["text", "maybe", "pair", "frozen", "anything", "made"]


def test_recursive_types_and_data_classes() -> None:
    """Definitions are followed, and data classes list their fields as models do."""

    class Node(BaseModel):
        kids: list[Node] = []

    @dataclass
    class Data:
        a: int
        b: str

    assert [field.name for field in shape(Node).fields] == ["kids"]
    assert [field.name for field in shape(Data).fields] == ["a", "b"]


def test_what_has_no_fields() -> None:
    """A list has no shape."""
    assert shape(list[int]) is None


def test_who_sees_all_keys() -> None:
    """Forbidding or keeping extras, and validators that run before, see keys that are no fields."""

    class Ignores(BaseModel):
        @model_validator(mode="after")
        def after(self) -> Ignores:
            return self

    class Forbids(BaseModel, extra="forbid"):
        pass

    class Keeps(BaseModel, extra="allow"):
        pass

    class Before(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def before(cls, value: Any) -> Any:
            return value

    assert [shape(cls).sees_all_keys for cls in (Ignores, Forbids, Keeps, Before)] == [False, True, True, True]
    assert [shape(cls).keeps_extras for cls in (Ignores, Forbids, Keeps, Before)] == [False, False, True, False]


def test_a_serializer_of_its_own() -> None:
    """A model that writes itself is known."""

    class Own(BaseModel):
        @model_serializer
        def written(self) -> dict[str, int]:
            return {}

    class Other(BaseModel):
        pass

    assert [shape(cls).has_serializer for cls in (Own, Other)] == [True, False]


class Blob(BaseModel):
    data: bytes = b""


class Holder(BaseModel):
    # Names of fields that are keys of schemas too.
    config: Blob = Blob()
    type: str = ""


class Configured(BaseModel):
    model_config = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex")
    data: bytes = b""


class Count(BaseModel):
    n: int = 0


@pytest.mark.parametrize(("cls", "expected"), [(Blob, True), (Holder, True), (list[Blob], True), (Any, True), (Count, False)])
def test_bytes_are_found(cls: Any, expected: bool) -> None:
    """Bytes are found at any depth, also below fields with the names of a schema's own keys; Any may be bytes."""
    assert holds_bytes(TypeAdapter(cls).core_schema) is expected


class Open(BaseModel, extra="allow"):
    n: int = 0


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        *((Any, True), (dict, True), (list, True), (dict[str, Any], True), (Open, True), (list[Open], True)),
        *((Count, False), (dict[str, int], False), (list[float], False)),
    ],
)
def test_what_may_be_anything_is_found(cls: Any, expected: bool) -> None:
    """At any depth: Any, containers that say nothing of what is in them, and models that keep what they do not know."""
    assert holds_anything(TypeAdapter(cls).core_schema) is expected


def test_only_what_says_nothing_is_changed() -> None:
    """A class with a configuration of its own keeps it, and a schema without bytes stays the same object."""
    for cls in (Configured, Count):
        schema = TypeAdapter(cls).core_schema
        assert with_base64(schema) is schema

    schema = TypeAdapter(Blob).core_schema
    changed = with_base64(schema)
    assert changed["config"]["ser_json_bytes"] == "base64"
    assert "ser_json_bytes" not in schema.get("config", {})  # the original is as it was


def test_sets_are_written_as_lists() -> None:
    """At any depth; a schema without one stays the same object, and the original is as it was."""
    schema = TypeAdapter(dict[str, list[set[int]]]).core_schema
    changed = with_lists(schema)
    assert SchemaSerializer(changed).to_python({"a": [{1}]}) == {"a": [[1]]}
    assert SchemaSerializer(schema).to_python({"a": [{1}]}) == {"a": [{1}]}
    for cls in (Count, list[int], tuple[int, ...]):
        schema = TypeAdapter(cls).core_schema
        assert with_lists(schema) is schema


def test_the_configuration_of_a_class() -> None:
    """Where it stands, however the class is wrapped; none where it has none."""
    assert config_of(TypeAdapter(Configured).core_schema).get("ser_json_bytes") == "hex"
    assert "ser_json_bytes" not in config_of(TypeAdapter(Blob).core_schema)
    assert config_of(TypeAdapter(int).core_schema) == {}
