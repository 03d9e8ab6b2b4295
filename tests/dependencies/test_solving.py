"""`solve_dependencies`: the values of a dependant's parameters, for those who run it by themselves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import pytest

from tests.dependencies.sessions import handshake
from wscontrollers import Container, Depends, Module, get_dependant, provider, solve_dependencies

pytestmark = pytest.mark.anyio


async def test_values_come_by_name() -> None:
    """Of parameters, dependencies and services alike."""

    class Clock:
        hour = 12

    class Production(Module):
        @provider
        async def clock(self) -> Clock:
            return Clock()

    def below() -> int:
        return 1

    async def endpoint(room: str, limit: int, clock: Clock, value: Annotated[int, Depends(below)]) -> None: ...

    container = Container(Production())
    dependant = get_dependant(path="/{room}", call=endpoint, supplier=container.graph)
    async with AsyncExitStack() as stack:
        solved = await solve_dependencies(
            websocket=handshake(path_params={"room": "tea"}, query_string=b"limit=3"),
            dependant=dependant,
            async_exit_stack=stack,
            container=container,
        )
    assert solved.errors == []
    assert isinstance(solved.values.pop("clock"), Clock)
    assert solved.values == {"room": "tea", "limit": 3, "value": 1}


async def test_errors_come_instead_of_values() -> None:
    """What is invalid has none."""

    async def endpoint(limit: int, other: int = 5) -> None: ...

    async with AsyncExitStack() as stack:
        solved = await solve_dependencies(
            websocket=handshake(query_string=b"limit=x"), dependant=get_dependant(path="/", call=endpoint), async_exit_stack=stack
        )
    assert [(error["loc"], error["type"]) for error in solved.errors] == [(("query", "limit"), "int_parsing")]
    assert solved.values == {"other": 5}


async def test_clean_ups_run_with_the_callers_stack() -> None:
    """They see its exception, and may swallow it."""
    events: list[Any] = []

    async def resource() -> AsyncIterator[int]:
        try:
            yield 1
        except ValueError as error:
            events.append(str(error))

    async def endpoint(value: Annotated[int, Depends(resource)]) -> None: ...

    async with AsyncExitStack() as stack:
        await solve_dependencies(websocket=handshake(), dependant=get_dependant(path="/", call=endpoint), async_exit_stack=stack)
        raise ValueError("failed")
    assert events == ["failed"]


async def test_a_clean_up_may_replace_the_exception() -> None:
    """The caller gets the other one."""

    async def resource() -> AsyncIterator[int]:
        try:
            yield 1
        except ValueError as error:
            raise LookupError("instead") from error

    async def endpoint(value: Annotated[int, Depends(resource)]) -> None: ...

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await solve_dependencies(
                websocket=handshake(), dependant=get_dependant(path="/", call=endpoint), async_exit_stack=stack
            )
            raise ValueError("failed")

    with pytest.raises(LookupError, match="instead"):
        await run()


async def test_overrides_of_a_provider_hold() -> None:
    """As they do in an app."""

    def original() -> int:
        return 1

    async def endpoint(value: Annotated[int, Depends(original)]) -> None: ...

    class Provider:
        dependency_overrides = {original: lambda: 2}

    async with AsyncExitStack() as stack:
        solved = await solve_dependencies(
            websocket=handshake(),
            dependant=get_dependant(path="/", call=endpoint),
            async_exit_stack=stack,
            dependency_overrides_provider=Provider(),
        )
    assert solved.values == {"value": 2}
