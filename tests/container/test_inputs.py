"""What only a handshake can supply."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from wscontrollers.container import Inject, session_type
from wscontrollers.container.inputs import Input, is_input
from wscontrollers.params import Cookie, Depends, FirstMessage, Header, Path, Query


@session_type
class Held:
    """A type that sessions supply."""


class Service:
    """A service."""


@pytest.mark.parametrize("marker", [Query(), Path(), Header(), Cookie(), FirstMessage(), Depends(Service)], ids=repr)
def test_a_marker_makes_an_input(marker: Any) -> None:
    """In `Annotated` among other metadata, or as the default."""
    assert is_input(Annotated[str, "words", marker], ...)
    assert is_input(str, marker)


@pytest.mark.parametrize("annotation", [WebSocket, HTTPConnection, Held, Inject[WebSocket]])
def test_a_type_of_the_session_is_an_input(annotation: Any) -> None:
    """With and without a mark."""
    assert is_input(annotation, ...)


@pytest.mark.parametrize("annotation", [Service, str, Annotated[str, "dsn"], Inject[Service], list[WebSocket]])
def test_all_else_is_for_the_container(annotation: Any) -> None:
    """A list of what the session supplies is nothing that it supplies."""
    assert not is_input(annotation, ...)
    assert not is_input(annotation, 5)


def test_inputs_are_told_by_identity_and_named_by_their_parameter() -> None:
    """Two parameters that look the same are two inputs."""
    one, other = (Input("page", Annotated[int, Query()], ..., Service) for _ in range(2))
    assert one != other
    assert str(one) == "page: int"
