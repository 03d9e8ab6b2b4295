"""Constraints that do not fit their type."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Predicate
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, Json, TypeAdapter, ValidationError

from wscontrollers import App, DeclarationError, FirstMessage, Query, WebSocket
from wscontrollers.dependencies.constraints import misfit


class Colour(Enum):
    RED = "red"


class Name(str, Enum):  # noqa: UP042 - both of its sides count
    ANN = "ann"


class Point(BaseModel):
    x: Annotated[int, Field(ge=0)]


class Wrong(BaseModel):
    text: Annotated[str, Field(ge=3)]
    next: Wrong | None = None


class Nobody(Enum):
    """Without a member there is nothing to try."""


FITTING: list[Any] = [
    Annotated[int, Field(ge=3, multiple_of=2)],
    Annotated[int | None, Field(ge=3)],
    Annotated[str | None, Field(max_length=3, pattern="a")],
    Annotated[str, Field(ge="b")],
    Annotated[bool, Field(ge=1)],
    Annotated[Name | Literal["bob"], Field(max_length=3)],
    Annotated[datetime.timedelta, Field(ge=2)],
    Annotated[decimal.Decimal, Field(max_digits=2)],
    Annotated[list[Annotated[int, Field(ge=2)]], Field(max_length=3)],
    Annotated[list[int], Field(fail_fast=True)],
    Annotated[str, AfterValidator(int), Field(ge=3)],
    Annotated[Json[int], Field(ge=3)],
    Annotated[str, Predicate(len), "a text"],
    Annotated[complex, Field(ge=3)],
    Annotated[Nobody, Field(ge=3)],
    Literal["a", 3],
    Point,
    Any,
]
UNFITTING: list[tuple[Any, str]] = [
    (Annotated[str, Field(ge=3)], "ge=3 cannot be applied to str"),
    (Annotated[str, Field(multiple_of=3)], "multiple_of=3 cannot be applied to str"),
    (Annotated[str, "a text", Field(max_digits=3)], "max_digits=3 cannot be applied to str"),
    (Annotated[int, Field(max_length=3)], "max_length=3 cannot be applied to int"),
    (Annotated[int, Field(pattern="a")], "pattern='a' cannot be applied to int"),
    (Annotated[int | str, Field(ge=3)], "ge=3 cannot be applied to str"),
    (Annotated[int | list[int], Field(max_length=3)], "max_length=3 cannot be applied to int"),
    (Annotated[datetime.date, Field(min_length=1)], "min_length=1 cannot be applied to date"),
    (Annotated[uuid.UUID, Field(ge=3)], "ge=3 cannot be applied to UUID"),
    (Annotated[Colour, Field(max_length=3)], "max_length=3 cannot be applied to Colour"),
    (Annotated[Literal["a"], Field(ge=3)], "ge=3 cannot be applied to Literal['a']"),
    (Annotated[Sequence[str], Field(ge=3)], "ge=3 cannot be applied to Sequence[str]"),
    (list[Annotated[str, Field(ge=3)]], "ge=3 cannot be applied to str"),
    (Annotated[Annotated[str, Field(min_length=1)] | None, Field(ge=3), AfterValidator(int)], None),
    (dict[str, Wrong], "in Wrong.text, ge=3 cannot be applied to str"),
]


@pytest.mark.parametrize("annotation", FITTING, ids=str)
def test_a_constraint_that_pydantic_can_apply(annotation: Any) -> None:
    """Nothing is said of it, nor where a validator may have made another value before, or of what nobody knows."""
    assert misfit(annotation) is None


@pytest.mark.parametrize(("annotation", "told"), UNFITTING, ids=str)
def test_a_constraint_that_pydantic_cannot_apply(annotation: Any, told: str | None) -> None:
    """It is told with the type, at any depth; the inside of a union's own `Annotated` is not looked into."""
    assert misfit(annotation) == told


TYPES = [str, int, float, bool, bytes, decimal.Decimal, datetime.date, datetime.time, uuid.UUID, list[int], Colour, Name]
VALUES = ["1", "a", "2020-01-01", "12:00", str(uuid.UUID(int=1)), ["1"], "red", "ann", b"x"]
OPTIONS = st.fixed_dictionaries(
    {},
    optional={"ge": st.just(1), "lt": st.just("b"), "max_length": st.just(1), "multiple_of": st.just(2), "pattern": st.just("a")},
)


@given(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True), OPTIONS)
def test_what_is_let_through_never_fails_with_anything_but_a_validation_error(types: list[Any], options: dict[str, Any]) -> None:
    """Whatever type it is, whatever constraint, and whatever was sent."""
    annotation = Annotated[types[0] if len(types) == 1 else types[0] | types[1], Field(**options)]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except Exception:  # refused by itself
        assume(False)
    failures = []
    for value in VALUES:
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
        except TypeError as error:
            failures.append(error)
    told = misfit(annotation)
    assert told is not None or failures == []


@pytest.mark.parametrize(
    "annotation",
    [Annotated[str, Query(pattern="(")], Annotated[int, Query(multiple_of=0)], Annotated[str, Query(allow_inf_nan=True)]],
)
def test_a_constraint_that_is_wrong_by_itself(annotation: Any) -> None:
    """It is told as every other fault of a parameter."""

    async def endpoint(websocket: WebSocket, k: object) -> None: ...

    endpoint.__annotations__["k"] = annotation
    with pytest.raises(DeclarationError, match=r"parameter 'k': its constraints cannot be used: .* Fix: mend the keywords"):
        App().websocket("/")(endpoint)


@pytest.mark.parametrize("annotation", [Annotated[str, Query(ge=3)], Annotated[Wrong, FirstMessage()]])
def test_it_is_told_at_registration(annotation: Any) -> None:
    """And not by a TypeError in the session of whoever sends a value."""

    async def endpoint(websocket: WebSocket, k: object) -> None: ...

    endpoint.__annotations__["k"] = annotation
    with pytest.raises(DeclarationError, match="ge=3 cannot be applied to str, so pydantic would fail with every value"):
        App().websocket("/")(endpoint)


def test_of_the_same_constraint_of_annotated_types() -> None:
    """pydantic's keywords are a short way to write it."""
    assert misfit(Annotated[str, Ge(3)]) == "ge=3 cannot be applied to str"
