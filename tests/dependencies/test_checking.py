"""Whether a parameter that is sent can ever have a value; each rule is tested where it is made, here how they are told."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import pytest
from pydantic import Field, PydanticSchemaGenerationError
from pydantic_core import SchemaError

from wscontrollers import App, DeclarationError, FirstMessage, Header, Path, Query, WebSocket
from wscontrollers.dependencies.analysis import analyse
from wscontrollers.dependencies.checking import is_readable, unfit_field
from wscontrollers.dependencies.fields import make_field
from wscontrollers.dependencies.surroundings import Surroundings

AROUND = Surroundings("somewhere", "/{room}", frozenset({"room"}), whole_path=True, supplier=None)


class Opaque:
    def __init__(self, needed: Opaque) -> None: ...


def told(annotation: Any, default: Any = inspect.Parameter.empty, *, name: str = "value") -> str:
    """What is said of a parameter."""
    parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
    try:
        analyse(parameter, AROUND)
    except DeclarationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Annotated[int, Query(default_factory=int)], 3),
        (Annotated[int, Query(default_factory=int)], None),
        (Annotated[int, Field(default_factory=int), Query()], 3),
        (Annotated[int, Field(default_factory=int)], Query(3)),
    ],
)
def test_a_default_and_a_default_factory(annotation: Any, default: Any) -> None:
    """One of them would win in silence."""
    assert "it has a default_factory and the default " in told(annotation, default)


def test_a_default_factory_alone() -> None:
    """It is a default like any other."""

    async def endpoint(websocket: WebSocket, value: Annotated[int, Query(default_factory=int)]) -> None: ...

    App().websocket("/")(endpoint)
    assert told(Annotated[int, Field(default_factory=int), Query()]) == ""


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (Annotated[list[int], Path()], "a path parameter cannot be list[int]. Fix: use a scalar type"),
        (Annotated[int, Path()], "has no {value}, so it can never be filled. Fix: put the name into the path, or use Query()"),
        (Annotated[int, FirstMessage(raw=True)], "a raw first message is a str or bytes"),
        (Annotated[Opaque, Header()], "pydantic cannot read a value of the type Opaque from a header"),
        (Annotated[Opaque, FirstMessage()], "pydantic cannot read a value of the type Opaque from the first message"),
        (Annotated[str, Query(pattern="(")], "its constraints cannot be used"),
        (Annotated[dict[str, int], Header()], "a header cannot carry dict[str, int]"),
        (Annotated[str, Query(ge=3)], "ge=3 cannot be applied to str"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_with_the_parameter(annotation: Any, what: str) -> None:
    """Where, what and the fix."""
    assert what in told(annotation)
    assert "parameter 'value'" in told(annotation)


@pytest.mark.parametrize(
    ("annotation", "cause"),
    [(Annotated[Opaque, Query()], PydanticSchemaGenerationError), (Annotated[str, Query(pattern="(")], SchemaError)],
)
def test_what_pydantic_said_is_kept(annotation: Any, cause: type[Exception]) -> None:
    """As the cause of the error."""
    unfit = unfit_field(make_field("value", annotation, annotation.__metadata__[0]), AROUND)
    assert unfit is not None
    assert isinstance(unfit.cause, cause)


def test_what_pydantic_can_read() -> None:
    """It can make a value of it."""
    assert [is_readable(int), is_readable(list[Opaque])] == [True, False]
