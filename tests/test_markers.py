"""What the marks are, and what they refuse."""

from dataclasses import FrozenInstanceError, replace
from typing import Annotated, Any

import pytest
from pydantic.fields import FieldInfo

from wscontrollers import Cookie, DeclarationError, Depends, FirstMessage, Header, Path, Query, Security
from wscontrollers.markers import Dependency, Marker, Place, SecurityDependency


def function() -> None: ...


@pytest.mark.parametrize("marker", [Path(), Query(), Header(), Cookie(), FirstMessage(), Depends(), Security()])
def test_every_mark_is_a_marker(marker: Any) -> None:
    """One base for all, by which signatures are read."""
    assert isinstance(marker, Marker)


@pytest.mark.parametrize(
    ("marker", "place"),
    [
        (Path(), Place.PATH),
        (Query(), Place.QUERY),
        (Header(), Place.HEADER),
        (Cookie(), Place.COOKIE),
        (FirstMessage(), Place.MESSAGE),
    ],
)
def test_a_parameter_is_a_pydantic_field_of_a_place(marker: Any, place: Place) -> None:
    """So that every keyword of `Field` works."""
    assert isinstance(marker, FieldInfo)
    assert marker.place is place


@pytest.mark.parametrize("marker", [Query(alias="a"), Query(validation_alias="a"), Header(alias="a")])
def test_an_alias_is_what_is_sent(marker: Any) -> None:
    """`alias` stands for the validation alias unless that is given too."""
    assert marker.validation_alias == "a"
    assert Query(alias="a", validation_alias="b").validation_alias == "b"


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        (Query(), "Query()"),
        (Query(5), "Query(5)"),
        (Header("x"), "Header('x')"),
        (Path(), "Path()"),
        (Cookie(None), "Cookie(None)"),
    ],
)
def test_a_mark_shows_as_it_is_written(marker: Any, text: str) -> None:
    """Error texts name it."""
    assert repr(marker) == text


def test_a_path_has_no_default() -> None:
    """It always has a value."""
    with pytest.raises(
        DeclarationError, match=r"Path\(\): a path parameter cannot have a default, got 5\. Fix: leave the default out"
    ):
        Path(5)
    assert Path(...).is_required()


@pytest.mark.parametrize("timeout", [0, -1, -0.5, float("nan"), "5", True, [5]])
def test_a_first_message_is_waited_for_some_time(timeout: Any) -> None:
    """Seconds above zero, or None for ever."""
    with pytest.raises(DeclarationError, match=r"FirstMessage\(\): timeout is .* Fix: give seconds above 0, or None"):
        FirstMessage(timeout=timeout)
    assert FirstMessage(timeout=None).timeout is None
    assert FirstMessage().timeout == 10


def test_a_scope_is_function_or_request() -> None:
    """Anything else is a mistake in the program."""
    with pytest.raises(
        DeclarationError, match=r"Depends\(\): scope is 'session'\. Fix: use \"function\", \"request\" or leave it out"
    ):
        Depends(function, scope="session")


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "1"])
def test_a_limit_is_a_positive_integer(number: Any) -> None:
    """Of calls at once."""
    with pytest.raises(ValueError, match=r"max_concurrency must be a positive integer or None\. Fix: give how many"):
        Depends(function, max_concurrency=number)


def test_equal_dependencies_are_equal_and_can_be_keys() -> None:
    """Two marks that say the same are the same, unless they limit calls: each such declaration counts its own."""
    assert Depends(function) == Depends(function)
    assert hash(Depends(function)) == hash(Depends(function))
    assert Depends(function) != Depends(function, use_cache=False)
    assert Depends(function, max_concurrency=1) != Depends(function, max_concurrency=1)
    assert Annotated[int, Depends(function)] == Annotated[int, Depends(function)]


def test_a_dependency_cannot_change() -> None:
    """It is shared by everybody who uses the annotation."""
    with pytest.raises(FrozenInstanceError):
        Depends(function).use_cache = False


def test_a_copy_shares_its_limit_as_long_as_it_is_the_same_number() -> None:
    """`dataclasses.replace` makes a variant of a declaration."""
    limited: Dependency = Depends(function, max_concurrency=2)
    assert replace(limited, use_cache=False).limit is limited.limit
    assert replace(limited, max_concurrency=3).limit is not limited.limit
    assert replace(limited, max_concurrency=None).limit is None


def test_security_is_a_dependency_with_scopes() -> None:
    """The list is copied: what the caller does to it later changes nothing."""
    scopes = ["read"]
    marker = Security(function, scopes=scopes)
    scopes.append("write")
    assert isinstance(marker, SecurityDependency)
    assert marker.scopes == ["read"]
    assert Security(function).scopes is None
