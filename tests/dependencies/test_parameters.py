"""All parameters of a handshake are read and validated in one call."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.dependencies.sessions import handshake, places, sending, sent
from wscontrollers import Cookie, Depends, Header, Path, Query
from wscontrollers.dependencies.fields import make_field
from wscontrollers.dependencies.parameters import FieldSet, Parameters
from wscontrollers.params import Header as HeaderMark
from wscontrollers.params import Path as PathMark
from wscontrollers.params import Query as QueryMark


def test_every_place_fills_its_parameters() -> None:
    """Path, query, header and cookie parameters of one name are four values."""

    def found(
        a: Annotated[int, Path()],
        b: Annotated[int, Query(alias="a")],
        c: Annotated[int, Header(alias="a")],
        d: Annotated[int, Cookie(alias="a")],
    ) -> Any:
        return [a, b, c, d]

    assert sent(sending(found, "/{a}"), "/1?a=2", headers={"a": "3"}, cookies={"a": "4"}) == [1, 2, 3, 4]


def test_errors_are_told_in_the_order_path_query_header_cookie() -> None:
    """Of one callable, whatever the order of its parameters."""

    def found(
        d: Annotated[int, Cookie()], c: Annotated[int, Header()], b: Annotated[int, Query()], a: Annotated[int, Path()]
    ) -> Any:
        return [a, b, c, d]

    assert [place for place, *_ in places(sending(found, "/{a}"), "/x")] == ["path", "query", "header", "cookie"]


def test_errors_of_a_dependency_come_before_those_of_its_dependent() -> None:
    """All errors of a session are told together, depth first."""

    def below(z: int) -> int:
        return z

    def found(a: int, value: Annotated[int, Depends(below)], b: int) -> Any:
        return [a, value, b]

    assert places(sending(found)) == [("query", name, "missing") for name in ("z", "a", "b")]


def test_an_error_is_told_once_however_many_need_the_parameter() -> None:
    """A dependency that is shared by two is read once, so its errors are told once (better than FastAPI)."""

    def below(z: int) -> int:
        return z

    def left(value: Annotated[int, Depends(below)]) -> int:
        return value

    def right(value: Annotated[int, Depends(below)]) -> int:
        return value

    def found(a: Annotated[int, Depends(left)], b: Annotated[int, Depends(right)]) -> Any:
        return [a, b]

    assert places(sending(found), "/?z=x") == [("query", "z", "int_parsing")]


def test_an_endpoints_parameters_and_its_dependencies_share_a_name() -> None:
    """One name in the query can be an integer for one and a text for another."""

    def below(a: int) -> int:
        return a

    def found(a: str, value: Annotated[int, Depends(below)]) -> Any:
        return [a, value]

    assert sent(sending(found), "/?a=1") == ["1", 1]


TEXTS = st.text("ab=&+%20;ü", max_size=12)


@given(
    query=TEXTS,
    headers=st.lists(st.tuples(st.sampled_from([b"x-a", b"x-b"]), st.binary(max_size=4)), max_size=5),
    path=st.dictionaries(st.sampled_from("ab"), st.one_of(st.text(max_size=3), st.integers(0, 3))),
)
def test_single_values_are_what_starlette_has_under_their_names(
    query: str, headers: list[tuple[bytes, bytes]], path: dict[str, Any]
) -> None:
    """Of a query the last of a name, of headers the first one, in any case; nothing where nothing was sent."""
    fields = {
        slot: make_field(name, str | None, marker)
        for slot, (name, marker) in enumerate(
            [("a", QueryMark()), ("b", QueryMark()), ("x_a", HeaderMark()), ("n", HeaderMark(alias="X-B")), ("a", PathMark())]
        )
    }
    connection = handshake(query_string=query.encode(), headers=headers, path_params=path)
    views = [connection.query_params] * 2 + [connection.headers] * 2 + [connection.path_params]
    names = ["a", "b", "x-a", "x-b", "a"]
    expected = {f"p{place}": view.get(name) for place, (view, name) in enumerate(zip(views, names, strict=True)) if name in view}
    assert Parameters(fields).read(handshake(query_string=query.encode(), headers=headers, path_params=path)) == expected


def test_a_list_and_a_single_value_may_have_one_name() -> None:
    """Then Starlette's view of the place is asked for both."""

    def found(a: Annotated[list[int], Query()], one: Annotated[int, Query(alias="a")], b: int = 7) -> Any:
        return [a, one, b]

    assert sent(sending(found), "/?a=1&a=2") == [[1, 2], 2, 7]


def test_a_header_that_cannot_be_sent_is_missing() -> None:
    """Its name has letters that no header has."""

    def found(a: Annotated[str, Header(alias="日本")] = "none") -> Any:
        return a

    assert sent(sending(found), headers={"?": "x"}) == "none"


def _set(*annotations: Any) -> FieldSet:
    return FieldSet([make_field(f"n{index}", annotation, QueryMark()) for index, annotation in enumerate(annotations)])


def test_a_set_validates_all_fields_in_one_call() -> None:
    """Values come in the order of the fields."""
    assert list(_set(int, list[str]).validated({"p0": "1", "p1": ["a"]})) == [1, ["a"]]
    assert list(_set(int, list[str]).validated_json(b'{"p0": 1, "p1": ["a"]}')) == [1, ["a"]]


def test_errors_of_a_set_are_found_by_the_index_of_their_field() -> None:
    """`faulty` tells which fields are wrong; `single` gives those that are not."""
    fields = _set(int, str, list[int])
    raw = {"p0": "x", "p1": "fine", "p2": ["1", "y"]}
    with pytest.raises(ValidationError) as raised:
        fields.validated(raw)
    assert {index: [error["type"] for error in found] for index, found in fields.faulty(raised.value).items()} == {
        0: ["int_parsing"],
        2: ["int_parsing"],
    }
    assert fields.single(1, raw) == "fine"
