"""What an annotation means for a parameter of a handshake: a scalar, a sequence of scalars, a model, or none of these.

The rules are FastAPI's, so that a signature means the same here as there.
"""

from __future__ import annotations

import types
import typing
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from ..callables import unaliased

_SEQUENCES = (Sequence, list, tuple, set, frozenset, deque)


def is_union(annotation: Any) -> bool:
    """Whether the annotation is `A | B`, `Union[A, B]` or `Optional[A]`."""
    return get_origin(annotation) in (Union, types.UnionType)


def without_annotated(annotation: Any) -> Any:
    """The type inside `Annotated` and PEP 695 aliases, at any depth of the two."""
    annotation = unaliased(annotation)
    while get_origin(annotation) is Annotated:
        annotation = unaliased(get_args(annotation)[0])
    return annotation


def members_of_union(annotation: Any) -> tuple[Any, ...]:
    """What a union is made of; of anything else the annotation alone."""
    return get_args(annotation) if is_union(annotation) else (annotation,)


def without_none(annotation: Any) -> Any:
    """`X` for `X | None`; anything else stays as it is."""
    if is_union(annotation):
        members = [member for member in get_args(annotation) if member is not type(None)]
        if len(members) == 1 and len(members) < len(get_args(annotation)):
            return members[0]
    return annotation


def is_subclass(annotation: Any, bases: type | tuple[type, ...]) -> bool:
    """`issubclass` that answers False for what is no class."""
    try:
        return isinstance(annotation, type) and issubclass(annotation, bases)
    except TypeError:  # list[int] is an instance of type for some Python versions, and no class for issubclass
        return False


def is_sequence(annotation: Any) -> bool:
    """Whether values of the annotation are collected from all occurrences of a name."""
    annotation = without_annotated(annotation)
    if is_union(annotation):
        return any(is_sequence(member) for member in get_args(annotation))
    return _is_sequence_class(annotation) or _is_sequence_class(get_origin(annotation))


def _is_sequence_class(annotation: Any) -> bool:
    return is_subclass(annotation, _SEQUENCES) and not is_subclass(annotation, (str, bytes))


def is_scalar(annotation: Any) -> bool:
    """Whether one text can be a value of the annotation, as far as its outer shape tells."""
    annotation = without_annotated(annotation)
    if annotation is ...:  # the dots of tuple[int, ...]
        return True
    if is_union(annotation):
        return all(is_scalar(member) for member in get_args(annotation))
    origin = get_origin(annotation)
    return not (
        _is_compound(annotation)
        or _is_compound(origin)
        or hasattr(origin, "__pydantic_core_schema__")
        or hasattr(origin, "__get_pydantic_core_schema__")
    )


def _is_compound(annotation: Any) -> bool:
    return is_subclass(annotation, (BaseModel, Mapping)) or _is_sequence_class(annotation) or is_dataclass(annotation)


def is_scalar_sequence(annotation: Any) -> bool:
    """Whether the annotation is a sequence of scalars, or a union of such and of scalars with at least one sequence."""
    annotation = without_annotated(annotation)
    if is_union(annotation):
        members = get_args(annotation)
        return any(is_scalar_sequence(member) for member in members) and all(
            is_scalar_sequence(member) or is_scalar(member) for member in members
        )
    return is_sequence(annotation) and all(is_scalar(item) for item in get_args(annotation))


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model of `Model` and `Model | None`."""
    annotation = without_annotated(without_none(without_annotated(annotation)))
    return typing.cast("type[BaseModel]", annotation) if is_subclass(annotation, BaseModel) else None
