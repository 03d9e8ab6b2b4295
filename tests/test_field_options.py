"""The keywords of parameters."""

import inspect
from typing import get_type_hints

from pydantic import Field

from wscontrollers.field_options import FieldOptions


def test_the_keywords_are_those_of_a_pydantic_field() -> None:
    """None that `Field` does not have."""
    assert set(get_type_hints(FieldOptions)) <= {*inspect.signature(Field).parameters}
