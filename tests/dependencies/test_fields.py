"""Parameters of a handshake: names, defaults, constraints, and the locations of their errors."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AfterValidator, AliasChoices, Field, Json
from typing_extensions import TypeAliasType

from tests.dependencies.sessions import errors, places, sending, sent
from wscontrollers import Cookie, Header, Path, Query
from wscontrollers.dependencies.fields import make_field
from wscontrollers.params import Header as HeaderMark


class Colour(Enum):
    RED = "red"


def test_a_scalar_without_a_marker_is_a_query_parameter() -> None:
    """`limit: int = 10` is read from the query, and its default holds when it is not sent."""

    def found(name: str, limit: int = 10) -> Any:
        return [name, limit]

    assert sent(sending(found), "/?name=tea&limit=3") == ["tea", 3]
    assert sent(sending(found), "/?name=tea") == ["tea", 10]


def test_a_list_of_scalars_without_a_marker_is_a_query_parameter() -> None:
    """`list[int]` takes all occurrences: a WebSocket has no body that could be meant (better than FastAPI)."""

    def found(ids: list[int], tags: Annotated[set[str], Field(max_length=3)] = frozenset()) -> Any:
        return [ids, sorted(tags)]

    assert sent(sending(found), "/?ids=1&ids=2&tags=b&tags=a") == [[1, 2], ["a", "b"]]
    assert places(sending(found), "/?tags=a") == [("query", "ids", "missing")]


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "0.5", 0.5),
        (bool, "on", True),
        (Decimal, "1.20", "1.20"),
        (Colour, "red", "red"),
        (UUID, "a10ff360-3b1e-4984-a26f-d3ab460bdb51", "a10ff360-3b1e-4984-a26f-d3ab460bdb51"),
        (int | str, "x", "x"),
        (int | None, "4", 4),
        (tuple[int, ...], "4", [4]),
        (bytes, "x", "x"),
    ],
    ids=str,
)
def test_a_value_is_of_its_annotation(annotation: Any, text: str, value: Any) -> None:
    """Text becomes what the annotation says, by pydantic's lax rules."""
    from pydantic_core import to_jsonable_python

    def found(value: annotation) -> Any:
        assert isinstance(value, bytes if annotation is bytes else object)
        return to_jsonable_python(value)

    assert sent(sending(found), f"/?value={text}") == value


@pytest.mark.parametrize("marker", [Query, Header, Cookie])
def test_an_alias_is_the_only_name(marker: Any) -> None:
    """With an alias, the parameter's own name is not looked at, and errors name the alias."""

    def found(value: Annotated[int, marker(alias="Other_Name")]) -> Any:
        return value

    place = marker.__name__.lower()
    options: dict[str, Any] = {
        "query": {"url": "/?Other_Name=1"},
        "header": {"headers": {"Other_Name": "1"}},
        "cookie": {"cookies": {"Other_Name": "1"}},
    }[place]
    assert sent(sending(found), **options) == 1
    assert places(sending(found), "/?value=1", headers={"value": "1"}, cookies={"value": "1"}) == [
        (place, "Other_Name", "missing")
    ]


def test_of_several_aliases_the_first_that_was_sent_counts() -> None:
    """`AliasChoices` are looked up in order; an error names the one that was sent, or the first."""

    def found(value: Annotated[int, Query(validation_alias=AliasChoices("first", "second"))]) -> Any:
        return value

    assert sent(sending(found), "/?second=2&first=1") == 1
    assert sent(sending(found), "/?second=2") == 2
    assert places(sending(found), "/?second=x") == [("query", "second", "int_parsing")]
    assert places(sending(found)) == [("query", "first", "missing")]


@pytest.mark.parametrize("path", ["/{first}", "/{second}", "/{value}"])
def test_of_several_aliases_a_path_has_one(path: str) -> None:
    """A path parameter with `AliasChoices` takes the name that the route has, else its own."""

    def found(value: Annotated[int, Path(validation_alias=AliasChoices("first", "second"))]) -> Any:
        return value

    assert sent(sending(found, path), "/7") == 7


def test_a_header_is_spelled_with_hyphens_and_no_other_way() -> None:
    """`user_agent` is the header `user-agent`; the underscore form is not taken, and the error names the header."""

    def found(x_token: Annotated[str, Header()]) -> Any:
        return x_token

    assert sent(sending(found), headers={"X-Token": "t"}) == "t"
    assert places(sending(found), headers={"x_token": "t"}) == [("header", "x-token", "missing")]


def test_underscores_of_a_header_are_kept_on_demand() -> None:
    """`convert_underscores=False` takes the parameter's name as it is."""

    def found(x_token: Annotated[str, Header(convert_underscores=False)]) -> Any:
        return x_token

    assert sent(sending(found), headers={"x_token": "t"}) == "t"


def test_a_list_of_headers_takes_every_line() -> None:
    """Each line of a repeated header is an item."""

    def found(x_tag: Annotated[list[str], Header()]) -> Any:
        return x_tag

    assert sent(sending(found), headers=[("x-tag", "a"), ("x-tag", "b,c")]) == ["a", "b,c"]


def test_an_error_is_told_by_place_name_and_index() -> None:
    """`loc` is the place, the name as it is sent, and the index in a list; `input` is what was sent."""

    def found(ids: Annotated[list[int], Query(alias="id")]) -> Any:
        return ids

    (error,) = errors(sending(found), "/?id=1&id=x")
    assert (error["loc"], error["type"], error["input"]) == (["query", "id", 1], "int_parsing", "x")


def test_what_is_missing_has_no_input() -> None:
    """The input of a missing parameter is None, never what others sent."""

    def found(secret: str, value: str) -> Any:
        return [secret, value]

    (error,) = errors(sending(found), "/?secret=s")
    assert (error["loc"], error["type"], error["input"]) == (["query", "value"], "missing", None)


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Annotated[int, Query(le=10)], ...),
        (Annotated[int, Field(le=10)], ...),
        (Annotated[int, Field(le=10), Query()], ...),
        (int, Query(le=10)),
        (Annotated[int, Field(le=10)], Query()),
    ],
    ids=["marker", "field", "both", "default", "field and default"],
)
def test_constraints_hold_wherever_they_stand(annotation: Any, default: Any) -> None:
    """Keywords of the marker, and pydantic's metadata beside it or without it, all count."""
    if default is ...:

        def found(value: annotation) -> Any:
            return value
    else:

        def found(value: annotation = default) -> Any:
            return value

    assert sent(sending(found), "/?value=10") == 10
    assert places(sending(found), "/?value=11") == [("query", "value", "less_than_equal")]


def test_validators_and_json_hold_without_a_marker() -> None:
    """`AfterValidator` and `Json` in `Annotated` are enough for a query parameter."""

    def found(value: Annotated[int, AfterValidator(lambda value: value + 1)], data: Json[list[int]]) -> Any:
        return [value, data]

    assert sent(sending(found), "/?value=1&data=[1,2]") == [2, [1, 2]]
    assert places(sending(found), "/?value=1&data=[1") == [("query", "data", "json_invalid")]


def test_the_last_of_our_markers_counts_and_none_is_changed() -> None:
    """A marker that several parameters share keeps no default of one of them."""
    shared = Query(le=5)
    Small = Annotated[int, Header(), shared]  # noqa: N806 - a type

    def found(a: Small, b: Small = 3) -> Any:
        return [a, b]

    assert sent(sending(found), "/?a=1") == [1, 3]
    assert places(sending(found), "/?b=9") == [("query", "a", "missing"), ("query", "b", "less_than_equal")]
    assert shared.is_required()


def test_a_default_is_not_validated_unless_asked() -> None:
    """A default is the programmer's; `validate_default` checks it all the same."""

    def found(value: Annotated[int, Query(le=5)] = 9) -> Any:
        return value

    def checked(value: Annotated[int, Query(le=5, validate_default=True)] = 9) -> Any:
        return value

    assert sent(sending(found)) == 9
    assert places(sending(checked)) == [("query", "value", "less_than_equal")]


def test_a_default_is_copied_for_each_session() -> None:
    """What a session does to a mutable default is not seen by the next one."""

    def found(ids: Annotated[list[int], Query()] = []) -> Any:  # noqa: B006 - that it is copied is the test
        ids.append(1)
        return ids

    app = sending(found)
    assert sent(app) == sent(app) == [1]


def test_a_default_factory_runs_once_for_each_session() -> None:
    """`default_factory` makes the value of a parameter that was not sent; one call a session, also for two uses."""
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    def found(value: Annotated[int, Query(default_factory=make)]) -> Any:
        return value

    app = sending(found)
    assert [sent(app), sent(app), sent(app, "/?value=9")] == [0, 1, 9]


@pytest.mark.parametrize("default", [None, 5])
def test_none_is_a_default_like_any_other(default: Any) -> None:
    """`= None` means that the parameter may be left out."""

    def found(value: Annotated[int | None, Query()] = default) -> Any:
        return value

    assert sent(sending(found)) == default


def test_an_alias_of_a_type_is_looked_through() -> None:
    """A PEP 695 alias, of a type, of an `Annotated` or inside of one, means what it stands for."""
    Ids = TypeAliasType("Ids", list[int])  # noqa: N806 - types
    Limit = TypeAliasType("Limit", Annotated[int, Query(le=5)])  # noqa: N806

    def found(ids: Annotated[Ids, Query()], limit: Limit) -> Any:
        return [ids, limit]

    assert sent(sending(found), "/?ids=1&ids=2&limit=3") == [[1, 2], 3]
    assert places(sending(found), "/?ids=1&limit=6") == [("query", "limit", "less_than_equal")]


def test_a_path_is_converted_before_it_is_validated() -> None:
    """`{n:int}` hands an integer to the annotation; `{rest:path}` keeps its slashes."""

    def found(n: int, rest: str) -> Any:
        return [n, rest]

    def wrong(n: str) -> Any:
        return n

    assert sent(sending(found, "/{n:int}/{rest:path}"), "/7/a/b") == [7, "a/b"]
    assert places(sending(wrong, "/{n:int}"), "/7") == [("path", "n", "string_type")]


def test_a_field_is_made_from_a_copy_of_its_marker() -> None:
    """`make_field` leaves the marker as it was declared."""
    marker = HeaderMark(alias="x-a")
    field = make_field("value", Annotated[int, marker], marker)
    assert field.info is not marker
    assert (field.aliases, field.sequence, field.info.annotation) == (("x-a",), False, int)
    assert marker.annotation is None
