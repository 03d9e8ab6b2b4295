"""Which parameters are filled, and with what."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from starlette.websockets import WebSocket

from wscontrollers.container import Container, Inject, NoInject, inject
from wscontrollers.container.parameters import parameters_of
from wscontrollers.exceptions import ContainerError
from wscontrollers.params import Query


class Service:
    """What is injected."""


def plain(service: Service, *rest: int, keyword: Service, limit: int = 5, **named: int) -> None:
    """Without any mark."""


@inject
def marked(service: Service, closed: NoInject[Service], limit: int = 5) -> None:
    """With `@inject`."""


def explicit(service: Inject[Service], other: Service, text: Inject[Annotated[str, "dsn"]] = "") -> None:
    """With `Inject[...]`."""


def given(websocket: WebSocket, page: Annotated[int, Query()], size: int = Query(5)) -> None:
    """Filled from the handshake."""


def keys_of(call: Any) -> dict[str, Any]:
    """The keys by name."""
    return {parameter.name: parameter.key for parameter in parameters_of(call)}


def test_without_a_mark_annotated_parameters_without_default_are_injected() -> None:
    """injector would call the function without them; variadic ones are never filled."""
    assert keys_of(plain) == {"service": Service, "keyword": Service, "limit": None}
    assert [parameter.kind for parameter in parameters_of(plain)] == [True, True, False]


def test_with_inject_all_parameters_are() -> None:
    """As injector has it, `NoInject` excepted."""
    assert keys_of(marked) == {"service": Service, "closed": None, "limit": int}
    assert not any(parameter.kind for parameter in parameters_of(marked))


def test_explicit_marks_name_the_key() -> None:
    """Metadata left of the marker belong to the key."""
    assert keys_of(explicit) == {"service": Service, "other": Service, "text": Annotated[str, "dsn"]}


def test_markers_and_types_of_the_session_are_inputs() -> None:
    """They are filled by the planner, not by a binding."""
    assert [parameter.is_input for parameter in parameters_of(given)] == [True, True, True]


def test_a_name_that_cannot_be_found_is_a_fault_with_the_fix() -> None:
    """Not a `NameError` from the depths."""

    class Broken:
        def __init__(self, nothing: Nothing) -> None:  # type: ignore[name-defined]  # noqa: F821 - the fault that is tested
            """Nothing."""

    with pytest.raises(ContainerError, match=r"an annotation cannot be evaluated .*Nothing"):
        Container().get(Broken)


@pytest.mark.parametrize("annotation", ["pytest.Nothing", "list["])
def test_an_annotation_that_cannot_be_evaluated_is_a_fault_too(annotation: str) -> None:
    """Neither an `AttributeError` nor a `SyntaxError` from the depths."""

    class Broken:
        def __init__(self, nothing: int) -> None: ...

    Broken.__init__.__annotations__["nothing"] = annotation
    with pytest.raises(ContainerError, match="Broken: an annotation cannot be evaluated"):
        Container().get(Broken)


def test_keyword_only_and_positional_parameters_are_passed_as_they_must_be() -> None:
    """Each in its own way."""

    class Mixed:
        def __init__(self, first: Service, /, limit: int = 3, *rest: int, last: Service) -> None:
            self.all = (first, limit, rest, last)

    Mixed.__init__.__annotations__.update(first=Service, last=Service, limit=int)
    first, limit, rest, last = Container().get(Mixed).all
    assert isinstance(first, Service)
    assert isinstance(last, Service)
    assert (limit, rest) == (3, ())
