"""What stands where nothing says its type: in a field of `Any`, or of a type variable without its argument.

Pydantic writes a model there as its own class says, whatever holds it, and by default that is UTF-8 for bytes in JSON. A frame
has base64 for bytes wherever they stand.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, cast

from pydantic_core import SchemaSerializer, core_schema

from .schemas import BASE64, keeps_extras, parts_of, with_base64

_SEQUENCES: Final = (list, tuple, set, frozenset, deque)
_HOLDING: Final = (dict, *_SEQUENCES)
_CONTAINERS: Final = frozenset(_HOLDING)

_MANY_LEVELS: Final = 255
"""More than any frame has; a value that holds itself has no last one."""

_SEVERAL, _MANY = 255, 10_000
_values: Final = cast("Callable[[Any], Iterable[Any]]", cast(Any, dict).values)

_EXTRAS_HOLDERS: Final = frozenset({"model-fields", "typed-dict"})
_UNTYPED: Final[dict[str, Any]] = {"type": "any"}
_HOLDERS: Final = {"list": "items_schema", "set": "items_schema", "frozenset": "items_schema", "dict": "values_schema"}


class Untyped:
    """Puts the JSON form of each model that is found in such values in its place, where that is not as its class writes it.

    One is shared by all that is compiled together; it learns how a class is written when it first meets one.
    """

    __slots__ = ("_leaves", "_serializers")

    def __init__(self) -> None:
        self._serializers: dict[type[Any], SchemaSerializer | None] = {}
        self._leaves: set[type[Any]] = {str, int, float, bool, bytes, type(None)}  # that pydantic writes right by itself

    def serializer(self, schema: Any) -> SchemaSerializer | None:
        """What writes values of a core schema so, at any depth; None where that is what its class does by itself."""
        changed = self._within(with_base64(schema))
        return None if changed is schema else SchemaSerializer(changed, BASE64, _use_prebuilt=False)

    def written(self, value: Any, *, by_alias: bool | None = True) -> Any:
        """A value with its models replaced; the same object if there is none to replace.

        Args:
            value: Anything.
            by_alias: Whether models are written with their aliases; None leaves it to their configuration.
        """
        leaves, cls = self._leaves, value.__class__
        if cls in leaves or (cls is dict and leaves.issuperset(map(type, value.values()))) or self._is_right(value):
            return value
        return self._replaced(value, by_alias=by_alias)

    def _is_right(self, value: Any) -> bool:
        """Whether there is surely nothing to replace: level by level, for most values are lists of lists and the like."""
        level: Sequence[Any] = (value,)
        for depth in range(_MANY_LEVELS):
            kinds = set(map(type, level))
            unknown = kinds - _CONTAINERS - self._leaves
            if unknown and not self._learns(unknown):
                return False
            if kinds <= self._leaves:
                return True
            if len(level) > (_MANY if depth < 2 else _SEVERAL):  # one that holds itself would be found over and over
                level = list({id(each): each for each in level}.values())
            if len(kinds) == 1:
                level = list(chain.from_iterable(map(_values, level) if dict in kinds else level))
            else:
                level = [inner for each in level for inner in _inside(each)]
        return False

    def _learns(self, kinds: Iterable[type[Any]]) -> bool:
        """Whether pydantic writes instances of some classes right by itself."""
        for cls in kinds:
            if issubclass(cls, _HOLDING) or _is_inferred(cls) or self._serializer_of(cls) is not None:
                return False
            self._leaves.add(cls)
        return True

    def _replaced(self, value: Any, *, by_alias: bool | None) -> Any:
        cls = value.__class__
        if isinstance(value, dict):
            given = cast("Mapping[Any, Any]", value)
            made = {key: self._replaced(item, by_alias=by_alias) for key, item in given.items()}
            return made if any(made[key] is not item for key, item in given.items()) else given
        if isinstance(value, _SEQUENCES):
            before = list(cast("Iterable[Any]", value))
            items = [self._replaced(item, by_alias=by_alias) for item in before]
            return items if any(new is not old for new, old in zip(items, before, strict=True)) else cast(object, value)
        serializer = self._serializer_of(cls)
        if serializer is not None:
            return serializer.to_python(value, mode="json", by_alias=by_alias)
        if _is_inferred(cls):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(cls)}
            made = self._replaced(fields, by_alias=by_alias)
            return value if made is fields else made
        return value

    def _serializer_of(self, cls: type[Any]) -> SchemaSerializer | None:
        if cls not in self._serializers:
            schema: object = getattr(cls, "__pydantic_core_schema__", None)
            self._serializers[cls] = None if schema is None else self.serializer(schema)
        return self._serializers[cls]

    # Schemas

    def _within(self, schema: Any, *, has_extras: bool = False) -> Any:
        """The schema with this in all places of which it says nothing; the same object if there is none.

        Args:
            schema: A schema, or what may hold some.
            has_extras: Whether the class that it is within keeps the keys which it does not know.
        """
        if isinstance(schema, dict):
            node = cast("dict[str, Any]", schema)
            if _is_untyped(node):
                return {**node, "serialization": self._serialization}
            if "cls" in node or node.get("type") == "typed-dict":
                has_extras = keeps_extras(node)
            changed = {
                key: made for key, part in parts_of(node) if (made := self._part(key, part, has_extras=has_extras)) is not part
            }
            if has_extras and node.get("type") in _EXTRAS_HOLDERS and "extras_schema" not in node:
                changed["extras_schema"] = {**_UNTYPED, "serialization": self._serialization}
            return {**node, **changed} if changed else node
        if isinstance(schema, list | tuple):
            old = cast("list[Any]", schema)
            new = [self._within(item, has_extras=has_extras) for item in old]
            return old if all(each is before for each, before in zip(new, old, strict=True)) else type(old)(new)
        return schema

    def _part(self, key: str, part: Any, *, has_extras: bool) -> Any:
        if key == "keys_schema":
            return part  # the keys of an object are texts
        if key == "serialization" and part == _UNTYPED:  # of `SerializeAsAny`, and of a type variable with a bound
            return self._whatever_is_declared
        return self._within(part, has_extras=has_extras)

    @property
    def _serialization(self) -> core_schema.PlainSerializerFunctionSerSchema:
        return core_schema.plain_serializer_function_ser_schema(
            self._in_json, info_arg=True, return_schema=core_schema.any_schema(), when_used="json-unless-none"
        )

    def _in_json(self, value: Any, info: core_schema.SerializationInfo) -> Any:
        return self.written(value, by_alias=info.by_alias or None)

    @property
    def _whatever_is_declared(self) -> core_schema.PlainSerializerFunctionSerSchema:
        return core_schema.plain_serializer_function_ser_schema(
            self._in_any_mode, info_arg=True, return_schema=core_schema.any_schema()
        )

    def _in_any_mode(self, value: Any, info: core_schema.SerializationInfo) -> Any:
        return self.written(value, by_alias=info.by_alias or None) if info.mode == "json" else value


def _is_inferred(cls: type[Any]) -> bool:
    """Whether it is a data class of which pydantic writes the fields as what they hold."""
    return dataclasses.is_dataclass(cls) and not hasattr(cls, "__pydantic_serializer__")


def _is_untyped(node: Mapping[str, Any]) -> bool:
    """Whether it is a schema of which the type of all values within is unknown, and that pydantic writes by itself."""
    kind: object = node.get("type")
    if not isinstance(kind, str) or "serialization" in node:
        return False
    if kind == "any":
        return True
    return kind in _HOLDERS and node.get(_HOLDERS[kind], _UNTYPED) == _UNTYPED


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("Mapping[Any, Any]", value).values()
    return cast("Iterable[Any]", value) if isinstance(value, _SEQUENCES) else ()
