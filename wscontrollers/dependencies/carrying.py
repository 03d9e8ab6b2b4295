"""What a place of a handshake can carry: texts and, but for cookies, lists of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo

from ..callables import name_of, unaliased
from ..markers import Param, Place
from .annotations import is_scalar, is_sequence, is_subclass, is_union, model_of, without_annotated

_BEFORE = ("before", "wrap", "plain")
_NO_READERS = (AfterValidator, Discriminator, FieldInfo, Tag)
"""What has a say in how a value is validated, and is not given what was sent."""


def uncarried(info: Param) -> str | None:
    """The type of a parameter, or of a field of its group, that cannot be made of what is sent; None if there is none.

    Whatever has a validator of its own is taken at its word: it may split or parse a text.
    """
    lists = info.place is not Place.COOKIE
    model = model_of(info.annotation)
    if model is None or _has_reader(info.metadata):
        return None if _carries(info.annotation, info.metadata, lists=lists) else name_of(info.annotation)
    for name, field in model.model_fields.items():
        if not (_carries(field.annotation, field.metadata, lists=lists) or _validates(model, name)):
            return f"{name_of(field.annotation)}, which {name_of(model)}.{name} is"
    return None


def _carries(annotation: Any, metadata: Sequence[Any] = (), *, lists: bool) -> bool:
    annotation = unaliased(annotation)
    if get_origin(annotation) is Annotated:
        metadata = (*get_args(annotation)[1:], *metadata)
        annotation = without_annotated(annotation)
    if is_scalar(annotation) or _has_reader(metadata) or _reads_text(annotation):
        return True
    if is_union(annotation):
        return all(_carries(member, lists=lists) for member in get_args(annotation))
    return lists and is_sequence(annotation) and all(_carries(item, lists=False) for item in get_args(annotation))


def _has_reader(metadata: Sequence[Any]) -> bool:
    return any(hasattr(item, "__get_pydantic_core_schema__") and not isinstance(item, _NO_READERS) for item in metadata)


def _reads_text(annotation: Any) -> bool:
    """Whether a model has a validator that is given what was sent before its fields are looked for in it."""
    if not is_subclass(annotation, BaseModel):
        return False
    return any(each.info.mode in _BEFORE for each in annotation.__pydantic_decorators__.model_validators.values())


def _validates(model: type[BaseModel], name: str) -> bool:
    """Whether a model has a validator that is given what was sent for a field."""
    validators = model.__pydantic_decorators__.field_validators.values()
    return _reads_text(model) or any(name in each.info.fields and each.info.mode in _BEFORE for each in validators)
