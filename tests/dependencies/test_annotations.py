"""What an annotation means for a parameter of a handshake."""

# ruff: noqa: UP007, UP045  # both spellings of a union are meant

import datetime
import enum
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, Optional, Union

import pytest
from pydantic import AnyUrl, BaseModel, Field
from typing_extensions import TypeAliasType

from wscontrollers.dependencies.annotations import (
    is_scalar,
    is_scalar_sequence,
    is_sequence,
    is_subclass,
    is_union,
    model_of,
    without_annotated,
    without_none,
)


class Colour(enum.Enum):
    RED = "red"


class Filters(BaseModel):
    limit: int = 10


@dataclass
class Point:
    x: int


Name = NewType("Name", str)
Ids = TypeAliasType("Ids", list[int])

SCALARS = [
    int, float, str, bytes, bool, Decimal, Colour, uuid.UUID, datetime.datetime, datetime.timedelta, AnyUrl, Any, Name,
    Literal["a", 1], int | None, Optional[Colour], Union[int, str], Annotated[int, Field(gt=0)],
]  # fmt: skip
SEQUENCES = [
    list[int], set[str], frozenset[Colour], tuple[int, str], tuple[int, ...], deque[int], Sequence[str], list, tuple, set,
    list[int] | None, list[int | None], Annotated[list[int], Field(max_length=3)], list[Annotated[int, Field(gt=0)]], Ids,
]  # fmt: skip
NEITHER = [dict, dict[str, int], Filters, Point, list[Filters], list[dict[str, int]], list[list[int]], Filters | None]


@pytest.mark.parametrize("annotation", SCALARS, ids=str)
def test_a_scalar_is_what_one_text_can_hold(annotation: Any) -> None:
    """Builtins, dates, enums, UUIDs, URLs, literals, and unions of them are scalars, never sequences."""
    assert is_scalar(annotation)
    assert not is_sequence(annotation)


@pytest.mark.parametrize("annotation", SEQUENCES, ids=str)
def test_a_sequence_of_scalars_takes_all_occurrences(annotation: Any) -> None:
    """Lists, sets, tuples, deques and `Sequence` of scalars are sequences, optional ones too."""
    assert is_sequence(annotation)
    assert is_scalar_sequence(annotation)
    assert not is_scalar(annotation)


@pytest.mark.parametrize("annotation", NEITHER, ids=str)
def test_a_mapping_a_model_and_what_holds_them_is_neither(annotation: Any) -> None:
    """Nothing of a query can fill a dict, a model, a dataclass, or a list of such."""
    assert not is_scalar(annotation)
    assert not is_scalar_sequence(annotation)


def test_text_is_no_sequence_of_letters() -> None:
    """`str` and `bytes` are one value, although Python calls them sequences."""
    assert not is_sequence(str)
    assert not is_sequence(bytes)


@pytest.mark.parametrize(
    ("annotation", "model"),
    [(Filters, Filters), (Filters | None, Filters), (Annotated[Filters, "note"], Filters),
     (Optional[Annotated[Filters, 1]], Filters), (int, None), (list[Filters], None), (Filters | Point, None)],
    ids=str,
)  # fmt: skip
def test_a_group_is_a_model_or_an_optional_one(annotation: Any, model: Any) -> None:
    """Only `Model` and `Model | None` take their fields from the place."""
    assert model_of(annotation) is model


def test_none_is_taken_off_a_pair_only() -> None:
    """`X | None` is `X`; a union of three stays a union, and so does `None` alone."""
    assert without_none(int | None) is int
    assert without_none(int | str | None) == int | str | None
    assert without_none(None) is None


def test_annotated_and_aliases_are_taken_off_in_any_order() -> None:
    """An alias of an `Annotated` and an `Annotated` of an alias both end at the type."""
    positive = TypeAliasType("positive", Annotated[int, Field(gt=0)])
    assert without_annotated(Annotated[positive, "note"]) is int
    assert without_annotated(Ids) == list[int]


def test_what_is_no_class_is_no_subclass() -> None:
    """`is_subclass` says no where `issubclass` would raise."""
    assert is_subclass(bool, int)
    assert not is_subclass(list[int], list)
    assert not is_subclass("int", int)


def test_both_spellings_of_a_union_are_one() -> None:
    """`Union[A, B]` and `A | B` are unions, `A` is none."""
    assert is_union(Union[int, str])
    assert is_union(int | str)
    assert not is_union(int)
