"""How a value is found in what was sent."""

from typing import Any

import pytest
from pydantic import Json
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, QueryParams

from wscontrollers.dependencies.received import MISSING, hyphenated, is_json, raw_value, takes_all


def test_a_query_gives_its_last_occurrence() -> None:
    """Of a repeated name in the query, a scalar takes the last value."""
    assert raw_value(QueryParams("a=1&a=2"), "a", sequence=False) == "2"


def test_headers_give_their_first_occurrence() -> None:
    """Of a repeated header, a scalar takes the first line, whatever its case."""
    assert raw_value(Headers(raw=[(b"x-a", b"1"), (b"x-a", b"2")]), "X-A", sequence=False) == "1"


@pytest.mark.parametrize(
    "received", [QueryParams("a=1&a=2,3"), Headers(raw=[(b"a", b"1"), (b"a", b"2,3")])], ids=["query", "header"]
)
def test_a_sequence_takes_all_and_splits_nothing(received: Any) -> None:
    """Commas inside a value are the value's."""
    assert raw_value(received, "a", sequence=True) == ["1", "2,3"]


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize("received", [QueryParams(""), Headers(raw=[]), {}], ids=["query", "header", "cookie"])
def test_no_occurrence_is_missing(received: Any, sequence: bool) -> None:
    """What was not sent is neither an empty list nor an empty text."""
    assert raw_value(received, "a", sequence=sequence) is MISSING


def test_an_empty_text_is_a_value() -> None:
    """`?a=` was sent."""
    assert raw_value(QueryParams("a="), "a", sequence=False) == ""


def test_json_is_one_text_even_for_a_list() -> None:
    """A `Json[list[int]]` is one occurrence that holds the list."""
    info = FieldInfo.from_annotation(Json[list[int]])
    assert is_json(info)
    assert not takes_all(info)
    assert takes_all(FieldInfo.from_annotation(list[int]))


def test_a_header_is_spelled_with_hyphens() -> None:
    """`user_agent` stands for `user-agent`."""
    assert hyphenated("user_agent") == "user-agent"
