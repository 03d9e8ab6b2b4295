"""What pydantic's core schema of a message type says: its names on the wire, its tags, and whether it holds bytes.

Core schemas are plain dictionaries; here they are read, and changed for how values are written: `with_base64`, `with_lists`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, cast

from pydantic_core import CoreConfig, core_schema

_Node: TypeAlias = dict[str, Any]

_FIELD_HOLDERS = frozenset({"model-fields", "dataclass-args", "typed-dict"})
_CLASSES = frozenset({"model", "dataclass", "typed-dict"})
_AROUND = frozenset({"function-before", "function-wrap"})
_WITHOUT_HASH = frozenset({"list", "set", "dict", "typed-dict"})
_INSTANCES = frozenset({"model", "dataclass"})
_MADE = frozenset({"function-after", "function-wrap", "function-plain"})
_NOT_SCHEMAS = frozenset({"metadata", "default", "config", "expected", "members"})
_MAY_BE_BYTES = ("bytes", "any", "definition-ref")
_BASE64: Mapping[str, str] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}


class Field(NamedTuple):
    """One field.

    Attributes:
        name: Its name in Python.
        read_as: Its names on the wire, when it is read.
        written_as: The same, when it is written.
        literals: The values that it may have, if it is a Literal.
        has_hash: Whether its values can be keys, as far as its type tells.
    """

    name: str
    read_as: tuple[str, ...]
    written_as: tuple[str, ...]
    literals: tuple[Any, ...]
    has_hash: bool = True

    @property
    def wire_names(self) -> tuple[str, ...]:
        """Every name on the wire, once."""
        return tuple(dict.fromkeys((*self.read_as, *self.written_as)))


class Shape(NamedTuple):
    """The outside of a message type.

    Attributes:
        fields: In the order of their declaration.
        sees_all_keys: It forbids or keeps extra keys, or a validator of its own reads the whole object.
        keeps_extras: Extra keys are kept, and so written again.
        writes_by_alias: Whether its configuration says so; None where it says nothing.
        has_serializer: A serializer of the user's own writes it.
    """

    fields: tuple[Field, ...]
    sees_all_keys: bool
    keeps_extras: bool
    writes_by_alias: bool | None
    has_serializer: bool


def shape_of(schema: object) -> Shape | None:
    """The outside of a model, data class or typed dictionary; None for what has no fields.

    Args:
        schema: The core schema of the type.
    """
    around, here, definitions = _way_in(schema)
    if here is None:
        return None
    has_serializer = any("serialization" in each for each in around)
    sees_all = any(each["type"] in _AROUND or bool(each.get("custom_init")) for each in around)
    config: _Node = dict(config_of(schema))
    extra = here.get("extra_behavior") or config.get("extra_fields_behavior") or "ignore"
    return Shape(
        fields=(*_fields(here, config, definitions), *_computed(here, config)),
        sees_all_keys=sees_all or extra != "ignore",
        keeps_extras=extra == "allow",
        writes_by_alias=config.get("serialize_by_alias"),
        has_serializer=has_serializer,
    )


def config_of(schema: object) -> CoreConfig:
    """The configuration of a model, data class or typed dictionary, as far as it has one."""
    around, here, _ = _way_in(schema)
    config: _Node = {}
    for node in (*around, here or {}):
        config |= node.get("config") or {}
    return cast(CoreConfig, config)


def _way_in(schema: object) -> tuple[list[_Node], _Node | None, dict[str, Any]]:
    """What is around the fields of a class, the schema that has them, None if there are none, and what is defined on the way."""
    around: list[_Node] = []
    definitions: dict[str, Any] = {}
    here = _node(schema)
    while here is not None and here["type"] not in _FIELD_HOLDERS:
        around.append(here)
        here = _inner(here, definitions)
    return around, here, definitions


def _node(value: object) -> _Node | None:
    return cast("_Node", value) if isinstance(value, dict) else None


def _inner(here: _Node, definitions: dict[str, Any]) -> _Node | None:
    """The schema inside a wrapper, or the one that a reference names; `definitions` learns what the wrapper defines."""
    definitions.update({each["ref"]: each for each in here.get("definitions", ())})
    return _node(definitions.get(here["schema_ref"]) if here["type"] == "definition-ref" else here.get("schema"))


def _fields(holder: _Node, config: _Node, definitions: dict[str, Any]) -> Iterator[Field]:
    named = _node(holder["fields"])
    # A data class lists its fields; the others map their names to them.
    pairs = list(named.items()) if named is not None else [(each["name"], each) for each in holder["fields"]]
    for name, field in pairs:
        read = _aliases(field.get("validation_alias"))
        if not read or not config.get("validate_by_alias", True):
            read = (name,)
        elif config.get("validate_by_name") or config.get("populate_by_name"):
            read = (*read, name)
        written = () if field.get("serialization_exclude") else (_written(name, field.get("serialization_alias"), config),)
        yield Field(name, read, written, _literals(field["schema"], definitions), _has_hash(field["schema"], definitions))


def _computed(holder: _Node, config: _Node) -> Iterator[Field]:
    for field in holder.get("computed_fields", ()):
        name = field["property_name"]
        yield Field(name, (), (_written(name, field.get("alias"), config),), ())


def _aliases(alias: Any) -> tuple[str, ...]:
    """The keys of the object that an alias reads: a name, a path, or several of them."""
    if alias is None:
        return ()
    if isinstance(alias, str):
        return (alias,)
    paths = alias if isinstance(alias[0], list | tuple) else [alias]
    return tuple(path[0] for path in paths if isinstance(path[0], str))


def _written(name: str, alias: str | None, config: _Node) -> str:
    return alias if alias is not None and config.get("serialize_by_alias", True) else name


def _literals(schema: object, definitions: dict[str, Any]) -> tuple[Any, ...]:
    here = _node(schema)
    while here is not None and here["type"] != "literal":
        here = _inner(here, definitions)
    return tuple(here["expected"]) if here is not None else ()


def _has_hash(schema: object, definitions: dict[str, Any]) -> bool:
    """Whether values of the schema can be hashed; what a function makes of them is not known, and counts as if."""
    here = _node(schema)
    while here is not None:
        kind = here["type"]
        if kind in _WITHOUT_HASH:
            return False
        if kind in _INSTANCES:
            return here["cls"].__hash__ is not None
        if kind in _MADE:
            return True
        if kind == "tuple":
            return all(_has_hash(item, definitions) for item in here["items_schema"])
        if kind == "union":
            choices: list[Any] = [each[0] if isinstance(each, tuple) else each for each in here["choices"]]
            return all(_has_hash(choice, definitions) for choice in choices)
        here = _node(here.get("json_schema")) if kind == "json-or-python" else _inner(here, definitions)
    return True


# ---- bytes


def holds_bytes(schema: object) -> bool:
    """Whether a value of the schema may have bytes in it, as far as the schema tells."""
    node = _node(schema)
    if node is not None:
        config: _Node = node.get("config") or {}
        keeps_extras = "allow" in (node.get("extra_behavior"), config.get("extra_fields_behavior"))
        return node.get("type") in _MAY_BE_BYTES or keeps_extras or any(holds_bytes(part) for _, part in _parts(node))
    return isinstance(schema, list | tuple) and any(holds_bytes(item) for item in cast("list[Any]", schema))


_HOLDERS: Final = {"list": "items_schema", "tuple": "items_schema", "set": "items_schema", "dict": "values_schema"}


def holds_anything(schema: object) -> bool:
    """Whether a value of the schema may have numbers in it of which the schema says nothing."""
    node = _node(schema)
    if node is None:
        return isinstance(schema, list | tuple) and any(holds_anything(item) for item in cast("list[Any]", schema))
    kind: object = node.get("type")
    config: _Node = node.get("config") or {}
    return (
        kind == "any"
        or (isinstance(kind, str) and kind in _HOLDERS and _HOLDERS[kind] not in node)
        or node.get("extra_behavior") == "allow"
        or config.get("extra_fields_behavior") == "allow"
        or any(holds_anything(part) for _, part in _parts(node))
    )


def with_base64(schema: Any) -> Any:
    """The schema with bytes as base64 in every class whose own configuration says nothing; the same object if all say so.

    A plain model ignores the configuration of what holds it, and pydantic's default for bytes in JSON is UTF-8 text.
    """
    return _changed(schema, _in_base64)


def _in_base64(node: _Node) -> _Node:
    config: _Node = node.get("config") or {}
    if "cls" in node and node["type"] in _CLASSES and "ser_json_bytes" not in config and holds_bytes(node):
        return {"config": {**_BASE64, **config}}
    return {}


def with_lists(schema: Any) -> Any:
    """The schema with sets written as lists of what is in them; the same object if it has none.

    Objects that are made of frozen models cannot be in a set, and a frame has none.
    """
    return _changed(schema, _as_list)


def _as_list(node: _Node) -> _Node:
    if node.get("type") not in _SETS or "serialization" in node:
        return {}
    listed = core_schema.list_schema(node.get("items_schema"))
    return {"serialization": core_schema.plain_serializer_function_ser_schema(list, return_schema=listed)}


_SETS: Final = ("set", "frozenset")


def _changed(schema: Any, change: Callable[[_Node], _Node]) -> Any:
    """A schema with a change in each one that it is made of, from the innermost on; the same object if there is none.

    Args:
        schema: A schema, or what may hold some.
        change: Given one whose parts are changed already, returns what is to be put into it.
    """
    node = _node(schema)
    if node is not None:
        parts = {key: made for key, part in _parts(node) if (made := _changed(part, change)) is not part}
        node = {**node, **parts} if parts else node
        added = change(node)
        return {**node, **added} if added else node
    if isinstance(schema, list | tuple):
        old = cast("list[Any]", schema)
        new = [_changed(item, change) for item in old]
        return old if all(each is before for each, before in zip(new, old, strict=True)) else type(old)(new)
    return cast(object, schema)


def _parts(node: _Node) -> list[tuple[str, Any]]:
    """What may be a schema inside one: of a schema all but its data, of a mapping from names to schemas everything."""
    is_schema = isinstance(node.get("type"), str)
    return [(key, part) for key, part in node.items() if not (is_schema and key in _NOT_SCHEMAS)]
