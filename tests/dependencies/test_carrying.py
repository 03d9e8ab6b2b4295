"""What a place of a handshake can carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Json, Tag, field_validator, model_validator

from wscontrollers import App, Cookie, DeclarationError, Header, Query, WebSocket
from wscontrollers.testing import TestClient

Numbers = Annotated[dict[str, int], BeforeValidator(json.loads)]
Split = Annotated[list[str], BeforeValidator(str.split)]


class Inner(BaseModel):
    x: int = 0


class Parsed(BaseModel):
    x: int

    @model_validator(mode="before")
    @classmethod
    def parse(cls, value: Any) -> Any:
        return {"x": value} if isinstance(value, str) else value


class Plain(BaseModel):
    one: int
    many: list[str] = []


class Nested(BaseModel):
    inner: Inner = Inner()


class Listed(BaseModel):
    all: list[Inner]


class Mapped(BaseModel):
    by: dict[str, int] | None = None


class Read(BaseModel):
    numbers: Numbers
    text: Json[dict[str, int]]
    parsed: Parsed
    many: Split
    own: Annotated[Inner, Field(description="has a validator")]

    @field_validator("own", mode="before")
    @classmethod
    def read(cls, value: str) -> Any:
        return json.loads(value)


def registered(annotation: Any) -> App:
    async def endpoint(websocket: WebSocket, k: object) -> None:
        await websocket.accept()
        await websocket.send_text(str(k))

    endpoint.__annotations__["k"] = annotation
    app = App()
    app.websocket("/")(endpoint)
    return app


ONE_OF_TWO = Annotated[Annotated[Inner, Tag("x")] | Annotated[Plain, Tag("y")], Discriminator(lambda value: "x")]

TAKEN: list[Any] = [
    *(Annotated[item, marker] for item in (int, str | None, Plain | None, Read, Parsed, Any) for marker in (Query(), Header())),
    *(Annotated[item, marker] for item in (list[str], tuple[int, str], Split, set[Parsed]) for marker in (Query(), Header())),
    *(Annotated[item, Cookie()] for item in (int, Read, Json[list[str]], Split, Numbers)),
    Annotated[Numbers, Query()],
    Annotated[Json[dict[str, int]], Query()],
]


@pytest.mark.parametrize("annotation", TAKEN)
def test_what_can_be_made_of_texts(annotation: Any) -> None:
    """Scalars, sequences of them, models of these; and all that has a validator of its own."""
    assert registered(annotation)


@pytest.mark.parametrize("marker", [Query(), Header(), Cookie()])
@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (dict[str, int], r"dict\[str, int\]"),
        (Mapping[str, str], r"Mapping\[str, str\]"),
        (list[Inner], r"list\[Inner\]"),
        (list[list[int]], r"list\[list\[int\]\]"),
        (tuple[int, Inner], r"tuple\[int, Inner\]"),
        (Inner | dict[str, int], r"Inner \| dict\[str, int\]"),
        (ONE_OF_TWO, r"Inner \| Plain"),
        (Annotated[list[Inner], AfterValidator(len)], r"list\[Inner\]"),
        (Nested, "Inner, which Nested.inner is"),
        (Listed | None, r"list\[Inner\], which Listed.all is"),
        (Mapped, r"dict\[str, int\] \| None, which Mapped.by is"),
    ],
)
def test_what_no_text_can_be(marker: Any, annotation: Any, told: str) -> None:
    """A query, a header and a cookie say so in the same way; the fields of a group are parameters too."""
    place = type(marker).__name__.removesuffix("Param").lower()
    with pytest.raises(DeclarationError, match=rf"parameter 'k': a {place} cannot carry {told}\. Fix: use scalars"):
        registered(Annotated[annotation, marker])


@pytest.mark.parametrize("annotation", [list[str], Plain])
def test_a_cookie_has_one_value(annotation: Any) -> None:
    """A list in it could never be valid."""
    with pytest.raises(DeclarationError, match=r"a cookie cannot carry list\[str\].*Fix: use scalars or a model of such"):
        registered(Annotated[annotation, Cookie()])


def test_what_validators_make_of_texts() -> None:
    """They are given what was sent."""
    with TestClient(registered(Annotated[Numbers, Query()])).websocket_connect('/?k={"a":1}') as session:
        assert session.receive_text() == "{'a': 1}"
    sent = {"numbers": '{"a":1}', "text": '{"b":2}', "parsed": "3", "many": "a", "own": '{"x":4}'}
    with TestClient(registered(Annotated[Read, Cookie()]), cookies=sent).websocket_connect("/") as session:
        said = session.receive_text()
    assert said == "numbers={'a': 1} text={'b': 2} parsed=Parsed(x=3) many=['a'] own=Inner(x=4)"
