"""Groups of parameters: a pydantic model that takes its fields from the query, the headers or the cookies."""

# ruff: noqa: UP045  # both spellings of an optional model are meant

from typing import Annotated, Any, Optional, Self

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from tests.dependencies.sessions import errors, places, sending, sent
from wscontrollers import Cookie, Header, Query


class Filters(BaseModel):
    term: str = "all"
    tags: list[str] = []


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = 10


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    limit: int = 10


class Trace(BaseModel):
    x_trace: int
    x_tag: list[str] = []


def test_the_fields_of_a_model_are_parameters_of_the_place() -> None:
    """Scalars take one occurrence and lists all; the other names of the query are no matter of the model."""

    def found(filters: Annotated[Filters, Query()]) -> Any:
        return filters.model_dump()

    assert sent(sending(found), "/?term=tea&tags=a&tags=b&other=1") == {"term": "tea", "tags": ["a", "b"]}
    assert sent(sending(found)) == {"term": "all", "tags": []}


def test_cookies_make_a_model_too() -> None:
    """The names of cookies are taken as they are."""

    def found(strict: Annotated[Loose, Cookie()]) -> Any:
        return strict.model_dump()

    assert sent(sending(found), cookies={"limit": "3", "theme": "dark"}) == {"limit": 3, "theme": "dark"}


def test_headers_of_a_model_are_spelled_with_hyphens() -> None:
    """Each field is a header; the location of an error shows the header's name."""

    def found(trace: Annotated[Trace, Header()]) -> Any:
        return trace.model_dump()

    assert sent(sending(found), headers=[("X-Trace", "1"), ("x-tag", "a"), ("x-tag", "b")]) == {"x_trace": 1, "x_tag": ["a", "b"]}
    assert places(sending(found), headers={"x-trace": "x"}) == [("header", "x-trace", "int_parsing")]
    assert places(sending(found), headers={"x_trace": "1"}) == [("header", "x-trace", "missing")]


def test_underscores_of_a_models_headers_are_kept_on_demand() -> None:
    """`convert_underscores=False` on the model's marker holds for all of its fields."""

    def found(trace: Annotated[Trace, Header(convert_underscores=False)]) -> Any:
        return trace.x_trace

    assert sent(sending(found), headers={"x_trace": "1"}) == 1


def test_a_model_that_forbids_extras_sees_every_name_of_its_place() -> None:
    """Names of other parameters and of dependencies are extras too: they are in the same query."""

    def found(strict: Annotated[Strict, Query()], other: int = 0) -> Any:
        return [strict.limit, other]

    assert sent(sending(found), "/?limit=3") == [3, 0]
    assert places(sending(found), "/?limit=3&other=1") == [("query", "other", "extra_forbidden")]


def test_a_model_of_headers_that_forbids_extras_sees_those_of_the_protocol() -> None:
    """`host` and `connection` are headers like any other."""

    def found(strict: Annotated[Strict, Header()]) -> Any:
        return strict.limit

    assert ("header", "host", "extra_forbidden") in places(sending(found))


def test_extras_that_were_sent_twice_are_lists() -> None:
    """An allowed extra is a text, or a list of all of its occurrences."""

    def found(loose: Annotated[Loose, Query()]) -> Any:
        return loose.model_dump()

    assert sent(sending(found), "/?a=1&b=2&b=3") == {"limit": 10, "a": "1", "b": ["2", "3"]}


@pytest.mark.parametrize("annotation", [Filters | None, Optional[Filters]], ids=str)
def test_an_optional_model_is_none_if_none_of_its_names_was_sent(annotation: Any) -> None:
    """Other names of the query do not make it."""

    def found(filters: Annotated[annotation, Query()] = None) -> Any:
        return filters and filters.model_dump()

    assert sent(sending(found), "/?other=1") is None
    assert sent(sending(found), "/?term=") == {"term": "", "tags": []}


def test_an_optional_model_that_cares_for_extras_is_made_by_them() -> None:
    """A model that allows or forbids extras is meant by any name."""

    def found(loose: Annotated[Loose | None, Query()] = None) -> Any:
        return loose and loose.model_dump()

    assert sent(sending(found)) is None
    assert sent(sending(found), "/?other=1") == {"limit": 10, "other": "1"}


def test_an_optional_model_without_a_default_is_required() -> None:
    """`Filters | None` without a default is missing as a whole."""

    def found(filters: Annotated[Filters | None, Query()]) -> Any:
        return filters

    (error,) = errors(sending(found), "/?other=1")
    assert (error["loc"], error["type"], error["input"]) == (["query"], "missing", None)


def test_the_errors_of_a_model_are_told_by_place_and_name() -> None:
    """A field's error is at the place and its alias, one of the whole model at the place."""

    class Range(BaseModel):
        low: int = Field(alias="from")
        high: int = 10

        @model_validator(mode="after")
        def ordered(self) -> Self:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    def found(range: Annotated[Range, Query()]) -> Any:  # noqa: A002 - any name will do
        return [range.low, range.high]

    assert sent(sending(found), "/?from=1") == [1, 10]
    assert places(sending(found), "/?from=x") == [("query", "from", "int_parsing")]
    assert places(sending(found), "/?low=1") == [("query", "from", "missing")]
    assert places(sending(found), "/?from=11") == [("query", "value_error")]


def test_of_several_aliases_of_a_field_the_first_that_was_sent_counts() -> None:
    """`AliasChoices` of a field are looked up in order."""

    class Search(BaseModel):
        term: Annotated[str, Field(validation_alias=AliasChoices("q", "search"))]

    def found(search: Annotated[Search, Query()]) -> Any:
        return search.term

    assert sent(sending(found), "/?search=b&q=a") == "a"
    assert sent(sending(found), "/?search=b") == "b"


def test_a_field_is_taken_by_its_name_where_the_model_says_so() -> None:
    """`validate_by_name` allows the field's own name beside its alias."""

    class Search(BaseModel):
        model_config = ConfigDict(validate_by_name=True)
        term: str = Field(alias="q")

    def found(search: Annotated[Search, Query()]) -> Any:
        return search.term

    assert sent(sending(found), "/?term=a") == "a"
    assert sent(sending(found), "/?q=b") == "b"


def test_two_models_of_one_place_do_not_see_each_others_values() -> None:
    """Each model takes its fields; a shared name goes to both."""

    def found(filters: Annotated[Filters, Query()], loose: Annotated[Loose, Query()]) -> Any:
        return [filters.model_dump(), loose.model_dump()]

    assert sent(sending(found), "/?term=tea&limit=3") == [{"term": "tea", "tags": []}, {"limit": 3, "term": "tea"}]
