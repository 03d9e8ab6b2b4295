"""The errors: how a mistake is told, and the tree they form."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wscontrollers import exceptions
from wscontrollers.exceptions import (
    ContainerError,
    DeclarationError,
    Denied,
    Fault,
    HTTPException,
    RouteError,
    WebSocketRequestValidationError,
)


def test_a_fault_says_where_what_and_fix() -> None:
    """A mistake is told as where, what and how to mend it."""
    assert str(DeclarationError.at("here", "it is wrong", fix="write it right")) == "here: it is wrong. Fix: write it right."


def test_several_faults_are_listed() -> None:
    """Several mistakes are one error with a line each."""
    error = DeclarationError(Fault("a", "b", "c"), Fault("d", "e", "f"))
    assert str(error) == "2 faults:\n  - a: b. Fix: c.\n  - d: e. Fix: f."
    assert len(error.faults) == 2


def test_mistakes_of_the_program_are_type_or_value_errors() -> None:
    """Declaration errors are `TypeError`s; those about values are `ValueError`s too."""
    assert issubclass(DeclarationError, TypeError)
    assert issubclass(RouteError, ValueError)
    assert issubclass(ContainerError, DeclarationError)


def test_at_keeps_the_class() -> None:
    """`at` makes an error of the class that it is called on."""
    with pytest.raises(RouteError):
        raise RouteError.at("a", "b", fix="c")


@pytest.mark.parametrize("status", [42, 0, 101, 200, 299, 600, "403", None])
def test_denied_refuses(status: Any) -> None:
    """By a status that says so, or that leads elsewhere; with another one the answer to the handshake would be no answer."""
    with pytest.raises(ValueError, match=r"Denied\(\): .* refuses nothing\. Fix: give an HTTP status from 300 to 599"):
        Denied(status, "no")
    assert Denied(307, headers={"Location": "/"}).status_code == 307


def test_denied_is_an_http_exception() -> None:
    """`Denied` is Starlette's `HTTPException`, so that handlers of that hold for it."""
    denied = Denied(401, "no", {"a": "b"})
    assert isinstance(denied, HTTPException)
    assert (denied.status_code, denied.detail, denied.headers) == (401, "no", {"a": "b"})


def test_a_validation_error_names_its_endpoint() -> None:
    """The text of a validation error has the errors, the endpoint's file, line and function, and its path."""
    context = exceptions.EndpointContext(function="f", path="WS /x", file="a.py", line=3)
    error = WebSocketRequestValidationError([{"loc": ("query", "q")}], endpoint_ctx=context)
    assert str(error) == "1 validation error:\n  {'loc': ('query', 'q')}\n  File \"a.py\", line 3, in f\n    WS /x"
    assert (error.endpoint_function, error.endpoint_path, error.endpoint_file, error.endpoint_line) == ("f", "WS /x", "a.py", 3)
    assert str(WebSocketRequestValidationError([], endpoint_ctx={"path": "WS /x"})) == "0 validation errors:\n  Endpoint: WS /x"


def test_the_tree_of_the_docstring_is_true() -> None:
    """Every error of the module's tree exists and stands where the tree says."""
    assert exceptions.__doc__ is not None
    above: list[str] = ["Exception"]
    for line in exceptions.__doc__.splitlines():
        match = re.match(r"^    ([│ ]*)[├└]── (\w+)", line)
        if match:
            depth = len(match.group(1)) // 4 + 1
            above = [*above[:depth], match.group(2)]
            parent = getattr(exceptions, above[depth - 1], Exception)
            assert issubclass(getattr(exceptions, match.group(2)), parent)
    assert len(above) > 1
