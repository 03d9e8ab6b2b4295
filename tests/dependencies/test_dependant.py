"""The declared form of a callable."""

from collections.abc import Iterator
from typing import Annotated, Any

from wscontrollers import Cookie, Depends, Header, Path, Query, Security, WebSocket, get_dependant
from wscontrollers.callables import Kind
from wscontrollers.security import SecurityScopes


def below() -> None: ...


def test_fields_stand_in_the_order_of_the_places() -> None:
    """Path, query, header, cookie, whatever the order in the signature: so are errors told."""

    async def endpoint(
        d: Annotated[int, Cookie()], c: Annotated[int, Header()], b: Annotated[int, Query()], a: Annotated[int, Path()]
    ) -> None: ...

    assert [field.name for field in get_dependant(path="/{a}", call=endpoint).fields] == ["a", "b", "c", "d"]


def test_dependencies_are_guards_then_parameters() -> None:
    """Those without a parameter come first."""

    def guard() -> None: ...

    async def endpoint(websocket: WebSocket, value: Annotated[None, Depends(below)]) -> None: ...

    dependant = get_dependant(path="/", call=endpoint, dependencies=[Depends(guard)])
    assert [dependency.call for dependency in dependant.dependencies] == [guard, below]
    assert [argument.name for argument in dependant.arguments] == ["websocket", "value"]


def test_security_scopes_are_those_above_outermost_first_without_repeats() -> None:
    """Scopes add up on the way down."""

    def inner(scopes: SecurityScopes) -> None: ...

    def outer(value: Annotated[None, Security(inner, scopes=["b", "c", "a"])]) -> None: ...

    async def endpoint(value: Annotated[None, Security(outer, scopes=["a", "b"])]) -> None: ...

    (found,) = get_dependant(path="/", call=endpoint).dependencies
    assert found.security_scopes == ["a", "b"]
    assert found.dependencies[0].security_scopes == ["a", "b", "c"]
    assert found.uses_scopes


def test_what_asks_for_no_scopes_uses_none() -> None:
    """Only who asks for scopes, or has one below that does, is told apart by them."""

    async def endpoint(value: Annotated[None, Depends(below)]) -> None: ...

    assert not get_dependant(path="/", call=endpoint).uses_scopes


def test_a_generator_cleans_up_with_the_request_unless_told_otherwise() -> None:
    """The computed scope is what was asked for, else "request" for generators and none for others."""

    def generator() -> Iterator[int]:
        yield 1

    def scope(call: Any, asked: Any = None) -> Any:
        return get_dependant(path="/", call=call, scope=asked).computed_scope

    assert (scope(generator), scope(generator, "function"), scope(below), scope(below, "function")) == (
        "request",
        "function",
        None,
        "function",
    )
    assert get_dependant(path="/", call=generator).kind is Kind.GENERATOR
