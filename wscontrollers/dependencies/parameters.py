"""All parameters of a handshake, read and validated in one call of pydantic's core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from starlette.websockets import WebSocket

from ..markers import Place
from .fields import ErrorDetail, ParamField
from .received import MISSING, Received

_READERS: dict[Place, Callable[[WebSocket], Received]] = {
    Place.PATH: lambda connection: connection.path_params,
    Place.QUERY: lambda connection: connection.query_params,
    Place.HEADER: lambda connection: connection.headers,
    Place.COOKIE: lambda connection: connection.cookies,
}


class FieldSet:
    """Fields that are validated together, each under a key of its own so that nothing of one reaches another."""

    __slots__ = ("_adapters", "_validate", "_validate_json", "fields")

    def __init__(self, fields: Sequence[ParamField]) -> None:
        self.fields = tuple(fields)
        definitions: dict[str, Any] = {f"p{index}": field.definition() for index, field in enumerate(fields)}
        model = create_model("Parameters", __config__=ConfigDict(arbitrary_types_allowed=False), **definitions)
        self._validate: Callable[[dict[str, Any]], BaseModel] = model.__pydantic_validator__.validate_python
        self._validate_json: Callable[[bytes | str], BaseModel] = model.__pydantic_validator__.validate_json
        self._adapters: dict[int, TypeAdapter[Any]] = {}

    def validated(self, raw: dict[str, Any]) -> Iterable[Any]:
        """The values of all fields, in their order.

        Args:
            raw: What was sent, under the keys `p0`, `p1`, ...; left out where nothing was.

        Raises:
            pydantic.ValidationError: At least one of them is not valid.
        """
        return self._validate(raw).__dict__.values()

    def validated_json(self, data: bytes | str) -> Iterable[Any]:
        """The values of all fields out of a JSON object with their keys, by pydantic's rules for JSON; raises as `validated`."""
        return self._validate_json(data).__dict__.values()

    def faulty(self, error: ValidationError) -> dict[int, list[ErrorDetail]]:
        """pydantic's errors by the index of their field."""
        by_field: dict[int, list[ErrorDetail]] = {}
        for detail in error.errors(include_url=False):
            by_field.setdefault(int(str(detail["loc"][0])[1:]), []).append(dict(detail))
        return by_field

    def single(self, index: int, raw: dict[str, Any]) -> Any:
        """The value of one valid field, where others of the set are not."""
        definition, info = self.fields[index].definition()
        value = raw.get(f"p{index}", MISSING)
        if value is MISSING:
            return info.get_default(call_default_factory=True, validated_data={})
        if index not in self._adapters:
            self._adapters[index] = TypeAdapter(definition)
        return self._adapters[index].validate_python(value)


class Parameters:
    """Reads the parameters of a plan from the handshake into their slots.

    Where all parameters of a place are single values under one name each, they are taken from ASGI's scope as they are, for
    Starlette's views of it take longer to make than to ask.
    """

    __slots__ = ("_by_place", "_headers", "_path", "_query", "_set", "_slots")

    def __init__(self, fields: Mapping[int, ParamField]) -> None:
        self._slots = tuple(fields)
        self._set = FieldSet(list(fields.values()))
        by_place: dict[Place, list[tuple[str, ParamField]]] = {}
        for index, field in enumerate(self._set.fields):
            by_place.setdefault(field.place, []).append((f"p{index}", field))
        self._path = _names_of(by_place, Place.PATH)
        self._query = _names_of(by_place, Place.QUERY)
        self._headers: dict[bytes, list[str]] = {}
        for key, name in _names_of(by_place, Place.HEADER):
            self._headers.setdefault(name.lower().encode("latin-1", "replace"), []).append(key)
        self._by_place = [(_READERS[place], fields) for place, fields in by_place.items()]

    @property
    def fields(self) -> tuple[ParamField, ...]:
        """The parameters, in the order of the signatures."""
        return self._set.fields

    def read(self, connection: WebSocket) -> dict[str, Any]:
        """What was sent for each parameter, under its key."""
        raw: dict[str, Any] = {}
        scope = connection.scope
        if self._path:
            path = scope.get("path_params", {})
            for key, name in self._path:
                if (value := path.get(name)) is not None:
                    raw[key] = value
        if self._query:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))  # the last of a name counts
            for key, name in self._query:
                if (value := query.get(name)) is not None:
                    raw[key] = value
        if self._headers:
            for header, sent in scope["headers"]:
                for key in self._headers.get(header, ()):
                    raw.setdefault(key, sent.decode("latin-1"))  # the first one of a name counts
        for reader, fields in self._by_place:
            received = reader(connection)
            for key, field in fields:
                value = field.received(received)
                if value is not MISSING:
                    raw[key] = value
        return raw

    @property
    def slots(self) -> tuple[int, ...]:
        """Where their values go, in the same order."""
        return self._slots

    def taken(self, connection: WebSocket) -> Iterable[Any] | None:
        """The values of all parameters, in their order; None if one is faulty: `fill` tells which."""
        try:
            return self._set.validated(self.read(connection))
        except ValidationError:
            return None

    def fill(self, values: list[Any], connection: WebSocket) -> list[ErrorDetail]:
        """Put the values of all parameters into their slots.

        Returns:
            The errors in the order of the parameters; the slots of faulty ones hold `MISSING`.
        """
        raw = self.read(connection)
        try:
            validated = self._set.validated(raw)
        except ValidationError as error:
            return self._fill_valid(values, raw, self._set.faulty(error), connection)
        for slot, value in zip(self._slots, validated, strict=True):
            values[slot] = value
        return []

    def _fill_valid(
        self, values: list[Any], raw: dict[str, Any], faulty: Mapping[int, list[ErrorDetail]], connection: WebSocket
    ) -> list[ErrorDetail]:
        errors: list[ErrorDetail] = []
        for index, (slot, field) in enumerate(zip(self._slots, self._set.fields, strict=True)):
            if index in faulty:
                values[slot] = MISSING
                errors += field.errors(faulty[index], _READERS[field.place](connection))
            else:
                values[slot] = self._set.single(index, raw)
        return errors


def _names_of(by_place: dict[Place, list[tuple[str, ParamField]]], place: Place) -> list[tuple[str, str]]:
    """The key and the name of each parameter of a place, which is taken out, if all of them are single values of one name."""
    fields = by_place.get(place, [])
    if not all(field.is_single for _, field in fields):
        return []
    by_place.pop(place, None)
    return [(key, field.aliases[0]) for key, field in fields]
