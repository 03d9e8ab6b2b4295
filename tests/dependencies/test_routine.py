"""The run of a plan, written out as one function."""

import inspect
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dependencies.sessions import handshake
from wscontrollers import Container, Depends, get_dependant
from wscontrollers.container import Scope
from wscontrollers.dependencies import MessagePlan, Plan, Resolution, make_plan
from wscontrollers.dependencies.invoking import invocation
from wscontrollers.dependencies.steps import FIRST_FREE

KINDS = ["plain", "thread", "async", "generator", "async generator", "function"]
NAMES = "abcdefgh"
Graph = list[tuple[str, list[int], bool, str]]


CALLED = ["value", "values", "called", "result", "scope", "message", "error", "taken", "generator", "v", "f1", "_", "Ärger"]
"""What users call their functions: also as routines call their variables."""


def dependency(kind: str, name: str, above: list[Any], events: list[str], *, by_name: bool, called: str) -> Any:
    """A dependency of a kind that notes its call, what it was given and its clean-up."""

    def noted(*values: Any, **named: Any) -> str:
        events.append(f"{name}({', '.join([*values, *named.values()])})")
        return name

    async def coroutine(*values: Any, **named: Any) -> str:
        return noted(*values, **named)

    def generator(*values: Any, **named: Any) -> Iterator[str]:
        try:
            yield noted(*values, **named)
        except LookupError:
            events.append(f"{name} sees it")
            raise
        events.append(f"{name} ends")

    async def async_generator(*values: Any, **named: Any) -> AsyncIterator[str]:
        try:
            yield noted(*values, **named)
        except LookupError:
            events.append(f"{name} sees it")
            raise
        events.append(f"{name} ends")

    calls: dict[str, Any] = {"plain": noted, "thread": noted, "async": coroutine, "generator": generator}
    call = calls.get(kind, async_generator)
    place = inspect.Parameter.KEYWORD_ONLY if by_name else inspect.Parameter.POSITIONAL_ONLY
    call.__name__ = call.__qualname__ = called
    call.__signature__ = inspect.Signature([inspect.Parameter(f"given_{n}", place, default=it) for n, it in enumerate(above)])
    return Depends(call, thread=kind == "thread", scope="function" if kind == "function" else None)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """For each dependency its kind, those above it that it is given, whether it is given them by name, and what it is called."""
    found: Graph = []
    for index in range(draw(st.integers(1, len(NAMES)))):
        above = draw(st.lists(st.integers(0, index - 1), max_size=3, unique=True)) if index else []
        # One of scope "request" may not need one of scope "function", which is closed before it.
        closed = any(found[each][0] == "function" for each in above)
        kinds = ["function"] if closed else KINDS
        found.append((draw(st.sampled_from(kinds)), above, draw(st.booleans()), draw(st.sampled_from(CALLED))))
    return found


def planned(graph: Graph, events: list[str], *, fails: bool) -> tuple[Plan, Any]:
    """A plan of a graph, and its endpoint, which is given all of them."""
    made: list[Any] = []
    for name, (kind, above, by_name, called) in zip(NAMES, graph, strict=False):
        made.append(dependency(kind, name, [made[each] for each in above], events, by_name=by_name, called=called))

    async def endpoint(*values: str) -> None:
        events.append(f"endpoint({', '.join(values)})")
        if fails:
            raise LookupError

    place = inspect.Parameter.POSITIONAL_ONLY
    parameters = [inspect.Parameter(f"given_{n}", place, default=it) for n, it in enumerate(made)]
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return make_plan(get_dependant(path="/", call=endpoint)), endpoint


async def run(plan: Plan, endpoint: Any, way: str) -> None:
    """Run a plan and its endpoint, by a routine of any kind or by one step after the other."""
    if way.startswith("message"):
        await handle(plan, endpoint, Container().graph.session(), way)
        return
    async with Resolution(handshake(), Container().graph.session()) as resolution:
        if way == "call":
            called, errors = await plan.call(resolution)
            assert called is not None
            await called
        elif way == "solve":
            values, errors = await plan.solve(resolution)
            await plan.endpoint(values)
        else:
            errors = []
            values = [resolution.connection, resolution.scope, *[None] * len(plan.steps)]
            for step in plan.steps:
                await step.run(values, resolution)
            await plan.endpoint(values)
        assert not errors


async def handle(plan: Plan, endpoint: Any, scope: Scope, way: str) -> None:
    """Handle a message with the steps of a plan, as if all of them were new with it."""
    handler = MessagePlan(
        steps=plan.steps,
        endpoint=invocation(endpoint, list(plan.arguments), list(plan.arguments.values())),
        message=FIRST_FREE + len(plan.steps),
        opens_scope=plan.cleans_up,
        cleans_up=plan.cleans_up,
    )
    values = [handshake(), scope, *[None] * (len(plan.steps) + 2)]
    before = values.copy()
    if way == "message":
        with anyio.CancelScope() as shield:
            await handler.quick(shield)(values, "message")
            assert not shield.shield
    else:

        async def consume(called: Any) -> None:
            await called

        await handler.run(values, "message", consume)
    assert values == before
    assert not scope.has_stack


@given(graph=graphs(), fails=st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_routine_does_what_its_steps_do_one_after_the_other(graph: Graph, fails: bool) -> None:
    """The same calls with the same values in the same order, and the same clean-ups behind them, which see what failed."""
    seen: list[list[str]] = []
    for way in ("steps", "solve", "call", "message", "message consumed"):
        events: list[str] = []
        with pytest.raises(LookupError) if fails else nullcontext():
            anyio.run(run, *planned(graph, events, fails=fails), way)
        seen.append(events)
    assert seen == [seen[0]] * len(seen)


def plan_of(call: Any) -> Plan:
    """A plan of one dependency."""

    async def endpoint(value: Annotated[Any, Depends(call)]) -> None: ...

    return make_plan(get_dependant(path="/", call=endpoint))


@given(called=st.lists(st.sampled_from(CALLED), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_name_of_a_function_is_that_of_a_variable(called: list[str]) -> None:
    """Else what one dependency gives would be called in the place of the next one: of a guard, for example."""
    graph: Graph = [("async", [], False, name) for name in called]
    for way in ("call", "message"):
        events: list[str] = []
        anyio.run(run, *planned(graph, events, fails=False), way)
        assert events == [*(f"{name}()" for name in NAMES[: len(called)]), f"endpoint({', '.join(NAMES[: len(called)])})"]


@pytest.mark.anyio
async def test_tracebacks_show_the_call_and_the_users_own_lines() -> None:
    """With nothing but the plan's line between the caller and what failed."""

    async def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError) as raised:
        await plan_of(fails).solve(Resolution(handshake(), Container().graph.session()))
    *_, ours, users = traceback.extract_tb(raised.value.__traceback__)
    assert ours.line is not None
    assert ours.line.startswith("values[2] = await ")
    assert "fails" in ours.line
    assert "plan of plan_of.endpoint" in ours.filename
    assert (users.name, users.line) == ("fails", "raise LookupError")


@pytest.mark.anyio
async def test_an_endpoint_is_called_with_what_was_read_and_not_with_what_is_faulty() -> None:
    """Values are validated before the first step; one that is not valid is told, and the endpoint is not called."""

    async def twice(number: int) -> int:
        return 2 * number

    async def endpoint(number: int, doubled: Annotated[int, Depends(twice)], text: str = "none") -> Any:
        return number, doubled, text

    plan = make_plan(get_dependant(path="/", call=endpoint))
    called, errors = await plan.call(Resolution(handshake(query_string=b"number=3"), Container().graph.session()))
    assert (called is not None and await called, errors) == ((3, 6, "none"), ())
    called, errors = await plan.call(Resolution(handshake(query_string=b"number=x"), Container().graph.session()))
    assert (called, [error["type"] for error in errors]) == (None, ["int_parsing"] * 2)


@pytest.mark.anyio
async def test_where_a_step_runs_by_itself_the_endpoint_is_called_all_the_same() -> None:
    """A thread's values are handed over in a list."""

    def blocking() -> str:
        return "it"

    async def endpoint(value: Annotated[str, Depends(blocking)]) -> str:
        return value

    plan = make_plan(get_dependant(path="/", call=endpoint))
    called, _ = await plan.call(Resolution(handshake(), Container().graph.session()))
    assert called is not None
    assert await called == "it"


@pytest.mark.anyio
async def test_a_name_that_python_reads_as_another_reaches_its_parameter() -> None:
    """`ﬁ` in a signature that was made of values is no `fi`."""
    name = "\ufb01"
    taken: list[Any] = []

    async def given() -> str:
        return "it"

    async def takes(**named: Any) -> None:
        taken.append(named)

    parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=Depends(given))
    takes.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    await plan_of(takes).solve(Resolution(handshake(), Container().graph.session()))
    assert taken == [{name: "it"}]


@pytest.mark.anyio
async def test_what_fails_to_yield_is_told() -> None:
    """A generator that ends before it yields has no value to give."""

    async def nothing() -> AsyncIterator[None]:
        return
        yield

    with pytest.raises(RuntimeError, match="generator didn't yield"):
        await plan_of(nothing).solve(Resolution(handshake(), Container().graph.session()))
