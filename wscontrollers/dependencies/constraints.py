"""Constraints that do not fit their type: `Annotated[str, Query(ge=3)]`, with which pydantic fails when a value comes."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import SchemaError

from ..callables import name_of, unaliased
from .annotations import is_subclass, members_of_union, model_of

_SAMPLES: tuple[Any, ...] = (
    "",
    b"",
    0,
    0.0,
    False,
    decimal.Decimal(),
    datetime.date.min,
    datetime.datetime.min,
    datetime.time(),
    datetime.timedelta(),
    uuid.UUID(int=0),
    [],
    (),
    set[Any](),
    frozenset[Any](),
    deque[Any](),
)
_SAMPLE_OF: dict[Any, Any] = {**{type(sample): sample for sample in _SAMPLES}, Sequence: []}
# What pydantic makes of the keywords of Field(): a class of its own for each, or one for several. A predicate is none of these.
_CONSTRAINTS = tuple(cls for cls in FieldInfo.metadata_lookup.values() if isinstance(cls, type))
_SEVERAL = "_PydanticGeneralMetadata"


def misfit(annotation: Any, metadata: Sequence[Any] = ()) -> str | None:
    """The first constraint that cannot be applied to a value of its type, in an annotation and in the models below it.

    Args:
        annotation: A type that pydantic can read.
        metadata: What stands beside it.
    """
    return next(_misfits(annotation, metadata, set()), None)


def _misfits(annotation: Any, metadata: Sequence[Any], seen: set[Any]) -> Iterator[str]:
    annotation = unaliased(annotation)
    if get_origin(annotation) is Annotated:
        inner, *beside = get_args(annotation)
        yield from _misfits(inner, [*beside, *metadata], seen)
        return
    members = [unaliased(member) for member in members_of_union(annotation) if member is not type(None)]
    for member in members:
        if get_origin(member) is not Annotated:
            yield from _unfitting(member, metadata, in_union=len(members) > 1)
    model = model_of(annotation)
    if model is not None and model not in seen:
        seen.add(model)
        for name, field in model.model_fields.items():
            yield from (f"in {name_of(model)}.{name}, {told}" for told in _misfits(field.annotation, field.metadata, seen))
    elif get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _misfits(argument, (), seen)


def _unfitting(cls: Any, metadata: Sequence[Any], *, in_union: bool) -> Iterator[str]:
    """The constraints up to the first thing that may make another value: a validator, say."""
    sample = _sample(cls)
    if sample is None:
        return
    for item in _spread(metadata):
        if isinstance(item, _CONSTRAINTS) or type(item).__name__ == _SEVERAL:
            if not _fits(sample, item, in_union=in_union):
                yield f"{repr(item).partition('(')[2][:-1]} cannot be applied to {name_of(cls)}"
        elif hasattr(item, "__get_pydantic_core_schema__"):
            return


def _spread(metadata: Sequence[Any]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _sample(cls: Any) -> Any:
    """A value of a type; None for one of which nothing is known."""
    if get_origin(cls) is Literal:
        return get_args(cls)[0]
    if is_subclass(cls, Enum):
        return next(iter(cast("type[Enum]", cls)), None)
    return _SAMPLE_OF.get(get_origin(cls) or cls)


def _fits(sample: Any, constraint: Any, *, in_union: bool) -> bool:
    cls = cast(Any, type(sample))
    # To a union pydantic applies it as it is; for a type alone it may make another bound of it, a time of a number, say.
    annotation: Any = Annotated[cls | (int if cls is str else str), constraint] if in_union else Annotated[cls, constraint]
    try:
        TypeAdapter[Any](annotation).validate_python(sample)
    except ValidationError:
        return True
    except (SchemaError, RuntimeError, TypeError):
        return False
    return True
