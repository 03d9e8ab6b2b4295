"""Records: plain data with named fields."""

from copy import copy
from typing import Any

import pytest

from wscontrollers.records import Record


class Point(Record):
    """A place."""

    x: int
    y: int = 0


class Named(Point):
    """A place with a name."""

    name: str = "?"


def test_fields_are_given_by_position_or_by_name() -> None:
    """In the order of their annotations, those of the base first; what is left out has the default."""
    named = Named(1, name="home")
    assert (named.x, named.y, named.name) == (1, 0, "home")


@pytest.mark.parametrize(
    ("values", "named", "text"),
    [
        ((), {}, r"^Point\(\) has no value for x$"),
        ((1, 2, 3), {}, r"^Point\(x, y\) takes no such fields"),
        ((1,), {"x": 2}, r"^Point\(x, y\) takes no such fields"),
        ((1,), {"z": 2}, r"^Point\(x, y\) takes no such fields"),
    ],
)
def test_fields_that_are_missing_or_none_are_a_type_error(values: tuple[int, ...], named: dict[str, int], text: str) -> None:
    """As for any call whose arguments do not fit."""
    with pytest.raises(TypeError, match=text):
        Point(*values, **named)


def test_records_do_not_change() -> None:
    """What was declared stays as it was."""
    point: Any = Point(1)
    with pytest.raises(AttributeError, match=r"^Point\.x is set once"):
        point.x = 2


def test_records_are_copied() -> None:
    """A copy is a record of its own."""
    point = Point(1)
    assert copy(point) == point


def test_records_are_values() -> None:
    """Equal, and of one hash, if their classes and their fields are."""
    assert Point(1) == Point(x=1, y=0)
    assert hash(Point(1)) == hash(Point(1, 0))
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)


def test_records_match_by_position() -> None:
    """In `match` statements, as dataclasses do."""
    match Point(1, 2):
        case Point(1, y):
            assert y == 2
        case _:
            raise AssertionError


def test_records_show_their_fields() -> None:
    """For those who debug."""
    assert repr(Point(1)) == "Point(x=1, y=0)"
