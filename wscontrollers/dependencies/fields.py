"""A parameter that the handshake (or the first message) fills, and how its value is taken from there."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AliasChoices, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..markers import FirstMessageParam, HeaderParam, Param, PathParam, Place
from ..records import Record
from .annotations import model_of
from .received import MISSING, Received, hyphenated, is_json, raw_value, takes_all

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .parameter_model import ParameterModel

ErrorDetail = dict[str, Any]


class ParamField(Record):
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

    @property
    def is_single(self) -> bool:
        """Whether it is one value under one name."""
        return self.model is None and not self.sequence and len(self.aliases) == 1

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
        return [self._told(error, values) for error in errors]

    def _told(self, error: ErrorDetail, values: Received) -> ErrorDetail:
        inner = error["loc"][1:]
        if self.model is not None:
            location = self.model.location(inner, values)
        else:
            location = (next((alias for alias in self.aliases if alias in values), self.aliases[0]), *inner)
        told = {**error, "loc": (self.place.value, *location)}
        if error["type"] == "missing" and not inner:
            told["input"] = None  # pydantic's is what all parameters together were sent as
        return told


def make_field(name: str, annotation: Any, info: Param, *, path_names: frozenset[str] = frozenset()) -> ParamField:
    """The field of a parameter, from its whole annotation and a marker that nobody else changes.

    Args:
        name: The parameter's name.
        annotation: Its annotation, with the metadata of `Annotated`.
        info: Its marker; a copy of it is completed.
        path_names: The names in the path, among which a path parameter's `AliasChoices` are looked up.
    """
    info = _completed(info, annotation)
    model = None if isinstance(info, PathParam | FirstMessageParam) or is_json(info) else model_of(info.annotation)
    return ParamField(
        name=name,
        info=info,
        aliases=_names_sent(name, info, path_names),
        sequence=takes_all(info),
        model=None if model is None else _group(model, info),
    )


def _group(model: type[BaseModel], info: Param) -> ParameterModel:
    from .parameter_model import ParameterModel  # here, because most applications have none

    return ParameterModel(model, info)


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
        unset = PydanticUndefined if attribute == "default" else None  # None is a default like any other
        if getattr(info, attribute) is unset:
            setattr(completed, attribute, getattr(merged, attribute))
    return completed


def _names_sent(name: str, info: Param, path_names: frozenset[str]) -> tuple[str, ...]:
    alias = info.validation_alias if info.validation_alias is not None else info.alias
    if isinstance(alias, AliasChoices) and all(isinstance(choice, str) for choice in alias.choices):
        choices = cast("tuple[str, ...]", tuple(alias.choices))
        if isinstance(info, PathParam):
            return (next((choice for choice in choices if choice in path_names), info.alias or name),)
        return choices
    if isinstance(alias, str) and alias:
        return (alias,)
    if isinstance(info, HeaderParam) and info.convert_underscores:
        return (hyphenated(name),)
    return (name,)
