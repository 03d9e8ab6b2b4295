"""Clean-ups run as contextlib runs them."""

import asyncio
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wscontrollers.container.exits import GENERATOR, Ending, Exits
from wscontrollers.container.scopes import Scope

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
Entered = tuple[Callable[[], Any], bool]


async def behaving(behaviour: Behaviour, name: int, events: list[Any]) -> AsyncGenerator[int, None]:
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


async def by_contextlib(generators: Iterable[Entered], body: Callable[[], None]) -> None:
    async with AsyncExitStack() as stack:
        for generator, is_managed in generators:
            await stack.enter_async_context(asynccontextmanager(generator)())
            if is_managed:
                await stack.enter_async_context(LookingOn())
        body()


async def by_exits(generators: Iterable[Entered], body: Callable[[], None]) -> None:
    exits, scope = Exits(), Scope()
    try:
        for generator, is_managed in generators:
            if is_managed:
                await exits.enter_async_context(asynccontextmanager(generator)())
                await exits.enter_async_context(LookingOn())
            else:
                await exits.enter_generator(generator(), GENERATOR)
        body()
    except BaseException as error:
        if not await exits.leave(error, scope):
            raise
    else:
        await exits.leave(None, scope)


class LookingOn:
    """A context manager that swallows nothing."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: object, error: object, traceback: object) -> bool:
        return False


def told(error: BaseException | None, depth: int = 8) -> Any:
    """An exception with all that hangs on it, and the lines of this file and of the generators that it went through."""
    if error is None or depth == 0:
        return None
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.name == "behaving"]
    chain = (told(error.__cause__, depth - 1), told(error.__context__, depth - 1))
    return (type(error), str(error), lines, error.__suppress_context__, *chain)


async def outcome(
    run: Callable[..., Awaitable[None]], behaviours: Sequence[tuple[Behaviour, bool]], fails: type[BaseException] | None
) -> tuple[list[Any], Any]:
    """What generators entered one in the other saw, and what came out of them."""
    events: list[Any] = []

    def body() -> None:
        events.append("body")
        if fails is not None:
            raise fails("body")

    generators = [
        (partial(behaving, behaviour, name, events), is_managed) for name, (behaviour, is_managed) in enumerate(behaviours)
    ]
    try:
        await run(generators, body)
    except BaseException as error:
        return events, told(error)
    return events, None


@settings(max_examples=500)
@given(behaviours=st.lists(st.tuples(behaviours, st.booleans()), min_size=1, max_size=4), fails=st.none() | errors)
def test_clean_ups_run_as_contextlib_runs_them(
    behaviours: list[tuple[Behaviour, bool]], fails: type[BaseException] | None
) -> None:
    """Same events, same exception, same causes and contexts, whatever generators and context managers among them do."""

    async def both() -> None:
        expected = await outcome(by_contextlib, behaviours, fails)
        assert await outcome(by_exits, behaviours, fails) == expected

    asyncio.run(both())


class Noting(Ending):
    """A provider's: it notes that it is left, and drops what comes out of it."""

    async def leave(self, entered: list[str], scope: Scope, error: BaseException | None) -> bool:
        entered.append(f"noting sees {error!r}")
        raise LookupError

    def drops(self, raised: BaseException, scope: Scope, error: BaseException | None = None) -> bool:
        return isinstance(raised, LookupError)


@pytest.mark.anyio
async def test_all_kinds_run_in_reverse() -> None:
    """Generators, context managers and what a provider entered share one order; what is dropped is seen by nobody."""
    events: list[str] = []
    exits = Exits()

    async def generator() -> AsyncGenerator[None, None]:
        yield
        events.append("generator")

    for _ in range(2):
        await exits.enter_generator(generator(), GENERATOR)
        exits.append((Noting(), events))
        await exits.enter_async_context(asynccontextmanager(generator)())
    assert not await exits.leave(None, Scope())
    assert events == ["generator", "noting sees None", "generator"] * 2


@pytest.mark.anyio
async def test_what_ran_does_not_run_again() -> None:
    """Clean-ups are over once they ran."""
    exits, events = Exits(), list[Any]()
    await exits.enter_async_context(Seeing(events))
    for _ in range(2):
        assert not await exits.leave(None, Scope())
    assert events == [None]


@pytest.mark.anyio
async def test_the_exception_is_swallowed_by_who_says_so() -> None:
    """What is behind the one that swallows it sees none."""
    exits, behind, before = Exits(), list[Any](), list[Any]()
    await exits.enter_async_context(Seeing(behind))
    await exits.enter_async_context(Seeing(before, swallows=True))
    error = ValueError()
    assert await exits.leave(error, Scope())
    assert (before, behind) == ([error], [None])


class Seeing:
    """A context manager that notes what it is left with."""

    def __init__(self, seen: list[Any], *, swallows: bool = False) -> None:
        self.seen = seen
        self.swallows = swallows

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: object, error: object, traceback: object) -> bool:
        self.seen.append(error)
        return self.swallows


@pytest.mark.anyio
@pytest.mark.parametrize("fails", [False, True])
async def test_a_generator_that_yields_twice_is_closed_and_told(fails: bool) -> None:
    """One yield is what divides the value from the clean-up."""
    events: list[str] = []

    async def twice() -> AsyncGenerator[None, None]:
        try:
            try:
                yield
            except ValueError:
                pass
            yield
        finally:
            events.append("closed")

    exits = Exits()
    await exits.enter_generator(twice(), GENERATOR)
    with pytest.raises(RuntimeError, match="generator didn't stop"):
        await exits.leave(ValueError() if fails else None, Scope())
    assert events == ["closed"]
