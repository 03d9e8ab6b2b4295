"""What a client shows of the application."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wscontrollers.testing.application import named


def test_an_attribute_is_shown() -> None:
    """As the application has it."""
    assert named(SimpleNamespace(container="c"), "container", "TestClient") == "c"


def test_what_wraps_the_application_has_none() -> None:
    """The error names client, attribute and type, and says what to give."""
    with pytest.raises(AttributeError, match=r"TestClient\.container: .* of type SimpleNamespace, .*\. Fix: ") as error:
        named(SimpleNamespace(), "container", "TestClient")
    assert error.value.name == "container"
