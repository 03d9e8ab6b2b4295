"""Whether a parameter that is sent can ever have a value: its place, its type and its constraints."""

from __future__ import annotations

from typing import Any

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter
from pydantic_core import PydanticUndefined, SchemaError

from ..callables import name_of
from ..markers import FirstMessageParam, PathParam, Place
from ..records import Record
from .annotations import is_scalar, members_of_union, without_annotated
from .carrying import uncarried
from .constraints import misfit
from .fields import ParamField
from .surroundings import Surroundings

_UNREADABLE = (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError, NameError, TypeError)
_UNUSABLE = (SchemaError, RuntimeError)
"""What pydantic raises for constraints that are wrong by themselves, or that are none of the type."""


class Unfit(Record):
    """What is wrong with a parameter, the fix, and what pydantic said."""

    what: str
    fix: str
    cause: Exception | None = None


def is_readable(annotation: Any) -> bool:
    """Whether pydantic can make a value of an annotation."""
    try:
        TypeAdapter(annotation)
    except _UNREADABLE:
        return False
    return True


def unfit_field(field: ParamField, around: Surroundings) -> Unfit | None:
    """Why no value of a parameter can ever be right; None if one can."""
    info = field.info
    if info.default_factory is not None and info.default is not PydanticUndefined:
        return Unfit(f"it has a default_factory and the default {info.default!r}", "keep the one that is meant")
    if isinstance(info, PathParam):
        unfit = _unfit_path(field, around)
    elif isinstance(info, FirstMessageParam):
        unfit = _unfit_raw(info) if info.raw else None
    else:
        unfit = None
    return unfit or _unread(field, around)


def _unfit_path(field: ParamField, around: Surroundings) -> Unfit | None:
    annotation, name = field.info.annotation, field.aliases[0]
    if not is_scalar(annotation):
        return Unfit(f"a path parameter cannot be {name_of(annotation)}", "use a scalar type")
    if around.whole_path and name not in around.path_names:
        return Unfit(
            f"the path {around.path!r} has no {{{name}}}, so it can never be filled", "put the name into the path, or use Query()"
        )
    return None


def _unfit_raw(info: FirstMessageParam) -> Unfit | None:
    kinds = members_of_union(without_annotated(info.annotation))
    if any(kind not in (str, bytes, Any, object) for kind in kinds):
        return Unfit(
            f"a raw first message is a str or bytes, and no {name_of(info.annotation)}",
            "annotate it with one of these or both, or leave raw=True out",
        )
    if info.metadata:
        return Unfit("a raw first message is given as it came, so nothing validates it", "leave the constraints out")
    return None


def _unread(field: ParamField, around: Surroundings) -> Unfit | None:
    """What pydantic would say of it, now or with the first value."""
    definition, _ = field.definition()
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(definition)
        if around.supplier is not None and not adapter.pydantic_complete:  # its models may name what comes later
            adapter.rebuild()
    except _UNREADABLE as error:
        place = "the first message" if field.place is Place.MESSAGE else f"a {field.place.value}"
        told = str(error).splitlines()[0].rstrip(".")
        return Unfit(
            f"pydantic cannot read a value of the type {name_of(field.info.annotation)} from {place}: {told}",
            "use a type that pydantic knows, or bind the class in the container",
            error,
        )
    except RecursionError:
        raise
    except _UNUSABLE as error:
        told = " ".join(str(error).split())
        return Unfit(f"its constraints cannot be used: {told}", "mend the keywords of the marker or of Field()", error)
    unfit = uncarried(field.info) if field.place not in (Place.PATH, Place.MESSAGE) else None
    if unfit is not None:
        lists = "" if field.place is Place.COOKIE else ", a sequence of scalars"
        return Unfit(f"a {field.place.value} cannot carry {unfit}", f"use scalars{lists} or a model of such")
    unfit = misfit(definition) if adapter.pydantic_complete else None
    if unfit is not None:
        return Unfit(f"{unfit}, so pydantic would fail with every value", "leave it out, or change the type")
    return None
