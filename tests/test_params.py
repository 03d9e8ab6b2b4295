"""The functions that users write in signatures pass on what they are given."""

from typing import Any

import pytest
from pydantic import Field

from wscontrollers import params
from wscontrollers.markers import (
    CookieParam,
    Dependency,
    FirstMessageParam,
    HeaderParam,
    PathParam,
    QueryParam,
    SecurityDependency,
)

FIELDS = {
    params.Path: PathParam,
    params.Query: QueryParam,
    params.Header: HeaderParam,
    params.Cookie: CookieParam,
    params.FirstMessage: FirstMessageParam,
}


@pytest.mark.parametrize(("function", "cls"), FIELDS.items())
def test_each_makes_its_own_mark(function: Any, cls: type) -> None:
    """And the mark takes every keyword of pydantic's `Field`."""
    marker = function(title="Title", ge=1, le=5, examples=[2], description="what it is", deprecated=True)
    assert type(marker) is cls
    assert (marker.title, marker.examples, marker.description, marker.deprecated) == ("Title", [2], "what it is", True)
    assert marker.metadata == Field(ge=1, le=5).metadata


@pytest.mark.parametrize("function", [params.Query, params.Header, params.Cookie])
def test_the_first_argument_is_the_default(function: Any) -> None:
    """As in FastAPI."""
    assert function(5).default == 5
    assert function().is_required()


def test_documents_may_leave_a_parameter_out() -> None:
    """`include_in_schema` is kept for who makes documents."""
    assert params.Query().include_in_schema
    assert not params.Query(include_in_schema=False).include_in_schema


def test_options_of_their_own_are_kept() -> None:
    """`convert_underscores`, `timeout` and `raw`."""
    assert params.Header().convert_underscores
    assert not params.Header(convert_underscores=False).convert_underscores
    message = params.FirstMessage(timeout=5, raw=True)
    assert (message.timeout, message.raw) == (5, True)


def test_dependencies_keep_all_that_is_said() -> None:
    """`Depends` and `Security` are plain data."""

    def function() -> None: ...

    marker = params.Depends(function, use_cache=False, scope="function", max_concurrency=3, thread=False)
    assert type(marker) is Dependency
    assert (marker.dependency, marker.use_cache, marker.scope, marker.max_concurrency, marker.thread) == (
        function,
        False,
        "function",
        3,
        False,
    )
    security = params.Security(function, scopes=("a",), use_cache=False)
    assert type(security) is SecurityDependency
    assert (security.dependency, security.scopes, security.use_cache) == (function, ["a"], False)
