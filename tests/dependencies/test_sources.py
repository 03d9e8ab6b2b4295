"""What analysis finds is plain data."""

import pytest

from wscontrollers.dependencies.sources import FromDefault, FromService


def test_a_source_cannot_change() -> None:
    """Who fills a parameter is decided once."""
    source = FromService(int)
    with pytest.raises(AttributeError):
        source.key = str  # type: ignore[misc]


def test_equal_sources_are_equal() -> None:
    """Sources compare by what they say."""
    assert FromDefault() == FromDefault()
    assert FromService(int) == FromService(int) != FromService(str)
