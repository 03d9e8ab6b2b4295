"""Markers that would mark nothing are refused where they are declared: passed over they would be a hole."""

from typing import Annotated, Any, Optional, Union

import fastapi
import pytest

from wscontrollers import App, Container, Controller, DeclarationError, Depends, Header, Query, Security, WebSocket, websocket
from wscontrollers.markers import HeaderParam
from wscontrollers.strays import stray_marker

NOTHING: Any = object()


class User:
    """A class that the container could make: an endpoint would get one although nobody logged in."""


def login() -> User:
    raise AssertionError("it is never called here")


FOUND: list[tuple[Any, Any, str]] = [
    (Annotated[User, fastapi.Depends(login)], NOTHING, "Depends is FastAPI's"),
    (User, fastapi.Depends(login), "Depends is FastAPI's"),
    (Annotated[str, fastapi.Header()], NOTHING, "Header is FastAPI's"),
    (Annotated[User, Depends], NOTHING, "Depends is not called"),
    (User, Security, "Security is not called"),
    (Annotated[str, Header], "", "Header is not called"),
    (Annotated[str, HeaderParam], "", "HeaderParam is not called"),
    (Union[Annotated[User, Depends(login)], None], None, "Depends() stands inside of the type"),  # noqa: UP007 - for checkers a value of `|` has no type
    (Optional[Annotated[str, Header()]], None, "Header() stands inside of the type"),  # noqa: UP045 - see above
    (list[Annotated[User, Depends(login)]], NOTHING, "Depends() stands inside of the type"),
]


@pytest.mark.parametrize(("annotation", "default", "what"), FOUND)
def test_a_marker_that_marks_nothing_is_found(annotation: Any, default: Any, what: str) -> None:
    """FastAPI's own markers, markers that were not called, and markers inside of a union or a list."""
    found = stray_marker(annotation, default)
    assert found is not None
    assert found[0].startswith(what)


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Annotated[User, Depends(login)], NOTHING),
        (Annotated[User | None, Depends(login)], None),
        (Annotated[str | None, Header()], None),
        (list[Annotated[int, Query(le=5)]], NOTHING),  # a constraint of the items, as in FastAPI
        (Annotated[str, "a note", login], "text"),
        ("Unknown", NOTHING),
        (int, 1),
    ],
)
def test_all_else_is_in_its_place(annotation: Any, default: Any) -> None:
    """Markers outside of the type, other people's metadata, and what has no marker."""
    assert stray_marker(annotation, default) is None


def test_an_endpoint_with_fastapis_marker_is_refused() -> None:
    """Where, what and fix; FastAPI's `Depends` in its `Annotated` would give a `User` that nobody logged in."""

    async def endpoint(websocket: WebSocket, user: Annotated[User, fastapi.Depends(login)]) -> None: ...

    with pytest.raises(DeclarationError, match=r"parameter 'user': Depends is FastAPI's.*Fix: write from wscontrollers import"):
        App().add_api_websocket_route("/", endpoint)


def test_a_constructor_and_a_service_with_a_stray_marker_are_refused() -> None:
    """The same holds for a controller's constructor and for the classes of the container below it."""

    class Store:
        def __init__(self, user: Annotated[User, fastapi.Depends(login)]) -> None: ...

    class Rooms(Controller):
        def __init__(self, store: Store) -> None: ...

        @websocket("/")
        async def enter(self, websocket: WebSocket) -> None: ...

    class Halls(Controller):
        def __init__(self, user: Annotated[User, Depends] | None = None) -> None: ...

        @websocket("/")
        async def enter(self, websocket: WebSocket) -> None: ...

    for controller in (Rooms, Halls):
        with pytest.raises(DeclarationError, match=r"parameter 'user': Depends is"):
            App(controllers=[controller], container=Container())
