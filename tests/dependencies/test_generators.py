"""An entered generator is left as contextlib leaves it."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dependencies.sessions import handshake
from wscontrollers import Container
from wscontrollers.dependencies import Resolution
from wscontrollers.dependencies.generators import EnteredGenerator
from wscontrollers.dependencies.steps import GeneratorStep

ERRORS: tuple[type[BaseException], ...] = (
    *(ValueError, LookupError, RuntimeError, StopIteration, StopAsyncIteration),
    *(KeyboardInterrupt, GeneratorExit, asyncio.CancelledError),
)
BEFORE = ("yields", "returns", "raises")
AFTER = ("returns", "raises", "yields")
ON_ERROR = (
    "passes",
    "finally",
    "reraises",
    "swallows",
    "replaces",
    "replaces from",
    "replaces from none",
    "yields",
)

errors = st.sampled_from(ERRORS)
behaviours = st.tuples(
    st.sampled_from(("yields",) * 8 + BEFORE), st.sampled_from(AFTER), st.sampled_from(ON_ERROR), errors, st.booleans()
)
Behaviour = tuple[str, str, str, type[BaseException], bool]


async def behaving(behaviour: Behaviour, name: int, events: list[Any]) -> AsyncIterator[int]:
    """A generator of one behaviour, which notes what it sees."""
    before, after, on_error, kind, waits = behaviour
    if before == "returns":
        return
    if before == "raises":
        raise kind(f"before {name}")
    try:
        yield name
    except BaseException as error:
        events.append((name, type(error), str(error)))
        if waits:
            await asyncio.sleep(0)
        if on_error == "reraises":
            raise error
        if on_error == "passes":
            raise
        if on_error == "replaces":
            raise kind(f"in {name}")  # noqa: B904 - the context is what is looked at
        if on_error == "replaces from":
            raise kind(f"in {name}") from error
        if on_error == "replaces from none":
            raise kind(f"in {name}") from None
        if on_error == "yields":
            yield name
        if on_error == "finally":
            try:
                raise
            finally:
                events.append((name, "finally"))
    else:
        events.append((name, "left"))
        if after == "raises":
            raise kind(f"after {name}")
        if after == "yields":
            yield name
    finally:
        events.append((name, "closed"))


async def by_contextlib(make: Callable[[], Any], stack: AsyncExitStack, resolution: Resolution) -> Any:
    return await stack.enter_async_context(asynccontextmanager(make)())


async def by_step(make: Callable[[], Any], stack: AsyncExitStack, resolution: Resolution) -> Any:
    values: list[Any] = [None]
    step = GeneratorStep(0, (), lambda values: make(), make, scope="function")
    await step.run(values, resolution)
    return values[0]


def told(error: BaseException | None, depth: int = 8) -> Any:
    """An exception with all that hangs on it, and the lines of this file and of the generators that it went through."""
    if error is None or depth == 0:
        return None
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.name == "behaving"]
    chain = (told(error.__cause__, depth - 1), told(error.__context__, depth - 1))
    return (type(error), str(error), lines, error.__suppress_context__, *chain)


async def outcome(
    enter: Callable[..., Awaitable[Any]], behaviours: Sequence[Behaviour], fails: type[BaseException] | None
) -> tuple[list[Any], Any]:
    """What generators entered one in the other saw, and what came out of them."""
    events: list[Any] = []
    resolution = Resolution(handshake(), Container().graph.session())
    names = count()
    try:
        async with resolution.function_stack as stack:
            for behaviour in behaviours:
                name = next(names)
                events.append(await enter(lambda b=behaviour, n=name: behaving(b, n, events), stack, resolution))
            if fails is not None:
                raise fails("body")
    except BaseException as error:
        return events, told(error)
    return events, None


@settings(max_examples=300)
@given(behaviours=st.lists(behaviours, min_size=1, max_size=4), fails=st.none() | errors)
def test_generators_are_entered_and_left_as_contextlib_does(
    behaviours: list[Behaviour], fails: type[BaseException] | None
) -> None:
    """Same events, same exception, same causes and contexts, whatever the generators and what is between them do."""

    async def both() -> None:
        expected = await outcome(by_contextlib, behaviours, fails)
        assert await outcome(by_step, behaviours, fails) == expected

    asyncio.run(both())


@pytest.mark.anyio
async def test_a_swallowed_exception_is_said_to_be() -> None:
    """The stack goes on as if nothing had happened."""

    async def swallows() -> AsyncIterator[None]:
        try:
            yield
        except ValueError:
            pass

    generator = swallows()
    await anext(generator)
    async with EnteredGenerator(generator):
        raise ValueError


@pytest.mark.anyio
@pytest.mark.parametrize("fails", [False, True])
async def test_a_generator_that_yields_twice_is_closed_and_told(fails: bool) -> None:
    """One yield is what divides the value from the clean-up."""
    events: list[str] = []

    async def twice() -> AsyncIterator[None]:
        try:
            try:
                yield
            except ValueError:
                pass
            yield
        finally:
            events.append("closed")

    generator = twice()
    await anext(generator)
    entered, failure = EnteredGenerator(generator), ValueError() if fails else None
    with pytest.raises(RuntimeError, match="generator didn't stop"):
        await entered.__aexit__(type(failure) if failure else None, failure, None)
    assert events == ["closed"]
