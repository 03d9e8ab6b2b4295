"""A parameter that the handshake (or the first message) fills, and how its value is taken from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import AliasChoices, AliasPath, BaseModel, Field, Json
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.datastructures import Headers, QueryParams

from ..markers import FirstMessageParam, HeaderParam, Param, PathParam, Place
from .annotations import is_sequence, model_of, without_annotated

MISSING: Any = PydanticUndefined
"""What stands for a value that was not sent."""

ErrorDetail = dict[str, Any]
Received = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class ParamField:
    """One parameter, ready to be read: where it is sent, under which names, and what it must be.

    Attributes:
        name: The parameter's name in the signature.
        info: Its completed field: annotation, metadata and default; the marker it was declared with, if there was one.
        aliases: The names under which it is looked up, best first.
        sequence: Whether all occurrences of the name are taken.
        model: The pydantic model whose fields are taken from the place, if it is a group of parameters.
    """

    name: str
    info: Param
    aliases: tuple[str, ...]
    sequence: bool
    model: ParameterModel | None

    @property
    def place(self) -> Place:
        """Where the parameter is sent."""
        return self.info.place

    def definition(self) -> tuple[Any, Any]:
        """Annotation and field for a pydantic model that validates this parameter among others."""
        info = self.info
        annotation = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        attributes: dict[str, Any] = {"discriminator": info.discriminator, "validate_default": info.validate_default}
        if info.default_factory is not None:
            attributes["default_factory"] = info.default_factory
        elif info.default is not PydanticUndefined:
            attributes["default"] = info.default
        return annotation, Field(**attributes)

    def received(self, values: Received) -> Any:
        """The raw value among what was sent, or `MISSING`."""
        if self.model is not None:
            return self.model.received(values)
        for alias in self.aliases:
            value = raw_value(values, alias, sequence=self.sequence)
            if value is not MISSING:
                return value
        return MISSING

    def errors(self, errors: list[ErrorDetail], values: Received) -> list[ErrorDetail]:
        """pydantic's errors of this parameter, with the location that a client understands."""
        if self.model is not None:
            return [{**error, "loc": (self.place.value, *self.model.location(error["loc"][1:], values))} for error in errors]
        alias = next((alias for alias in self.aliases if alias in values), self.aliases[0])
        return [self._told(error, alias) for error in errors]

    def _told(self, error: ErrorDetail, alias: str) -> ErrorDetail:
        inner = error["loc"][1:]
        told = {**error, "loc": (self.place.value, alias, *inner)}
        if error["type"] == "missing" and not inner:
            told["input"] = None
        return told


def raw_value(values: Received, alias: str, *, sequence: bool) -> Any:
    """What was sent under a name: the last (of a header the first) occurrence, or all of them; `MISSING` if none was."""
    if sequence and isinstance(values, QueryParams | Headers):
        return values.getlist(alias) or MISSING
    value = values.get(alias)
    return MISSING if value is None else value


class ParameterModel:
    """A pydantic model whose fields are parameters of one place: `Annotated[Filters, Query()]`."""

    __slots__ = ("_convert_underscores", "_names", "_optional", "_takes_extras", "model")

    def __init__(self, model: type[BaseModel], info: Param) -> None:
        self.model = model
        self._convert_underscores = info.convert_underscores if isinstance(info, HeaderParam) else None
        self._optional = without_annotated(info.annotation) is not model
        self._takes_extras = model.model_config.get("extra") in ("allow", "forbid")
        self._names = [(name, field, self._aliases(name, field)) for name, field in model.model_fields.items()]

    def _aliases(self, name: str, field: FieldInfo) -> list[tuple[str, str]]:
        """Pairs of the model's own name for a field and the name that is sent, best first."""
        convert = self._convert_underscores
        if convert is not None:
            convert = field.convert_underscores if isinstance(field, HeaderParam) else convert
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name
        config = self.model.model_config
        if isinstance(field.validation_alias, AliasChoices) and not any(
            isinstance(choice, AliasPath) for choice in field.validation_alias.choices
        ):
            aliases = [(str(choice), str(choice)) for choice in field.validation_alias.choices]
        else:
            aliases = [(alias, _hyphenated(alias) if convert and alias == name else alias)]
        if isinstance(field.validation_alias, AliasPath):
            return aliases
        sent_name = _hyphenated(name) if convert else name
        if config.get("validate_by_alias") is False:
            return [(name, sent_name)]
        if config.get("validate_by_name", config.get("populate_by_name", False)) and all(own != name for own, _ in aliases):
            aliases.append((name, sent_name))
        return aliases

    def received(self, values: Received) -> Any:
        """A mapping of the model's fields, with all other names of the place, so that its rule for extras can apply."""
        taken: dict[str, Any] = {}
        done: set[str] = set()
        fold = str.lower if isinstance(values, Headers) else str
        for _, field, aliases in self._names:
            own, sent = next((pair for pair in aliases if pair[1] in values), aliases[0])
            value = raw_value(values, sent, sequence=_takes_all(field))
            if value is not MISSING:
                taken[own] = value
            done.add(fold(sent))
            # The unconverted name of a header is no second way to send it.
            done.update(fold(name) for name, alias in aliases if name != alias)
        taken.update(_rest(values, done))
        if self._optional and not self._is_meant(values, taken):
            return MISSING
        return taken

    def _is_meant(self, values: Received, taken: dict[str, Any]) -> bool:
        """Whether an optional group was sent at all."""
        if self._takes_extras and taken:
            return True
        return any(sent in values for _, _, aliases in self._names for _, sent in aliases)

    def location(self, location: tuple[Any, ...], values: Received) -> tuple[Any, ...]:
        """The location of an error with the name of the header that was sent in place of the field's own."""
        if not location or self._convert_underscores is None or not self.model.model_config.get("loc_by_alias", True):
            return location
        for _, _, aliases in self._names:
            own, sent = next((pair for pair in aliases if pair[1] in values), aliases[0])
            if own == location[0]:
                return (sent, *location[1:])
        return location


def _hyphenated(name: str) -> str:
    return name.replace("_", "-")


def _is_json(info: FieldInfo) -> bool:
    return any(item is Json or isinstance(item, Json) for item in info.metadata)


def _takes_all(info: FieldInfo) -> bool:
    return is_sequence(info.annotation) and not _is_json(info)


def _rest(values: Received, done: set[str]) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, QueryParams | Headers):
        yield from ((name, values[name]) for name in values if name not in done)
        return
    grouped: dict[str, list[Any]] = {}
    for name, value in values.multi_items() if isinstance(values, QueryParams) else values.items():
        if name not in done:
            grouped.setdefault(name, []).append(value)
    for name, occurrences in grouped.items():
        yield name, occurrences[0] if len(occurrences) == 1 else occurrences


def make_field(name: str, annotation: Any, info: Param, *, path_names: frozenset[str] = frozenset()) -> ParamField:
    """The field of a parameter, from its whole annotation and a marker that nobody else changes.

    Args:
        name: The parameter's name.
        annotation: Its annotation, with the metadata of `Annotated`.
        info: Its marker; a copy of it is completed.
        path_names: The names in the path, among which a path parameter's `AliasChoices` are looked up.
    """
    info = _completed(info, annotation)
    model = None if isinstance(info, PathParam | FirstMessageParam) or _is_json(info) else model_of(info.annotation)
    return ParamField(
        name=name,
        info=info,
        aliases=_names_sent(name, info, path_names),
        sequence=_takes_all(info),
        model=None if model is None else ParameterModel(model, info),
    )


_PATH_ATTRIBUTES = ("alias", "validation_alias", "discriminator")
_ATTRIBUTES = (*_PATH_ATTRIBUTES, "default", "default_factory", "validate_default")


def _completed(info: Param, annotation: Any) -> Param:
    """A copy of the marker with the annotation's type and with all metadata that stands beside it."""
    merged = FieldInfo.from_annotation(annotation)
    completed = copy(info)
    inside = any(item is info for item in getattr(annotation, "__metadata__", ()))
    completed.annotation = merged.annotation
    completed.metadata = list(merged.metadata) if inside else [*merged.metadata, *info.metadata]
    for attribute in _ATTRIBUTES if not isinstance(info, PathParam) else _PATH_ATTRIBUTES:
        own, beside = getattr(info, attribute), getattr(merged, attribute)
        if own in (None, PydanticUndefined) and beside is not None:
            setattr(completed, attribute, beside)
    return completed


def _names_sent(name: str, info: Param, path_names: frozenset[str]) -> tuple[str, ...]:
    alias = info.validation_alias if info.validation_alias is not None else info.alias
    if isinstance(alias, AliasChoices) and all(isinstance(choice, str) for choice in alias.choices):
        choices = cast("tuple[str, ...]", tuple(alias.choices))
        if isinstance(info, PathParam):
            return (next((choice for choice in choices if choice in path_names), choices[0]),)
        return choices
    if isinstance(alias, str) and alias:
        return (alias,)
    if isinstance(info, HeaderParam) and info.convert_underscores:
        return (_hyphenated(name),)
    return (name,)
