"""The run of a plan, written out as one function: a call for each step, with neither a loop nor a function around it.

A plan with a plain function, a coroutine function and an async generator becomes

    async def solve(resolution):
        connection = resolution.connection
        scope = resolution.scope
        values = [connection, scope, None, None, None]
        values[2] = token_1()
        values[3] = await user_2(values[2])
        generator = database_3(values[3])
        try:
            values[4] = await anext(generator)
        except StopAsyncIteration:
            raise RuntimeError("generator didn't yield") from None
        scope.stack.push_generator(generator)
        return values, []

where `token_1` and its like stand for what is called. Where nobody needs the values but the endpoint, they are local variables,
and the function ends with its call (`caller`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..callables import name_of
from ..generated import Generated
from .fields import ErrorDetail
from .invoking import Invocation, Values
from .parameters import Parameters
from .resolution import Resolution
from .steps import AWAIT, CALL, CONNECTION, ENTER, SCOPE, ContextStep, Step

Solved = tuple[Values, list[ErrorDetail]]
Called = tuple[Awaitable[Any] | None, Sequence[ErrorDetail]]
SolveSiblings = Callable[[Values, Resolution], Awaitable[None]]

_WRITTEN = (CALL, AWAIT, ENTER)
"""The steps that are written out."""

_ENTERED = """\
generator = {call}
try:
    {value} = await anext(generator)
except StopAsyncIteration:
    raise RuntimeError("generator didn't yield") from None
{exits}.push_generator(generator)"""


def solver(
    steps: Sequence[Step], *, parameters: Parameters | None, solve_siblings: SolveSiblings, size: int, title: str
) -> Callable[[Resolution], Awaitable[Solved]]:
    """The function that runs a plan; see `Plan.solve`.

    Args:
        steps: What is done, in order.
        parameters: What is read from the handshake before.
        solve_siblings: Does what is left to do where a parameter is faulty.
        size: How many slots there are.
        title: Whose plan it is, for tracebacks.
    """
    generated = Generated(title)
    blank = "".join(", None" for _ in range(size - SCOPE - 1))
    lines = ["connection = resolution.connection", "scope = resolution.scope", f"values = [connection, scope{blank}]"]
    if parameters is not None:
        lines += [
            f"errors = {generated.name(parameters.fill, 'fill')}(values, connection)",
            "if errors:",
            f"    await {generated.name(solve_siblings, 'solve_siblings')}(values, resolution)",
            "    return values, errors",
        ]
    for step in steps:
        lines += _written(step, generated, _in_list).splitlines()
    text = "\n    ".join(["async def solve(resolution):", *lines, "return values, []"])
    return generated.function(text + "\n")


def caller(
    steps: Sequence[Step],
    *,
    parameters: Parameters | None,
    endpoint: Invocation,
    find_errors: Callable[[Resolution], Awaitable[list[ErrorDetail]]],
    title: str,
) -> Callable[[Resolution], Awaitable[Called]] | None:
    """The function that runs a plan and calls its endpoint; see `Plan.call`. None where a step wants the values in a list.

    Args:
        steps: What is done, in order.
        parameters: What is read from the handshake before.
        endpoint: The call of the endpoint.
        find_errors: Does what is left to do where a parameter is faulty.
        title: Whose plan it is, for tracebacks.
    """
    if any(step.mode not in _WRITTEN or step.invocation is None for step in steps):
        return None
    generated = Generated(title)
    lines = ["connection = resolution.connection", "scope = resolution.scope"]
    if parameters is not None:
        lines += [
            f"taken = {generated.name(parameters.taken, 'taken')}(connection)",
            "if taken is None:",
            f"    return None, await {generated.name(find_errors, 'find_errors')}(resolution)",
            f"{', '.join(map(_alone, parameters.slots))}, = taken",
        ]
    for step in steps:
        lines += _written(step, generated, _alone).splitlines()
    text = "\n    ".join(["async def call(resolution):", *lines, f"return {endpoint.written(generated, _alone)}, ()"])
    return generated.function(text + "\n")


def _written(step: Step, generated: Generated, place: Callable[[int], str]) -> str:
    """The lines of a step."""
    if step.mode not in _WRITTEN:
        return f"await {generated.name(step.run, 'run_' + name_of(step.what))}(values, resolution)"
    call = f"{generated.name(step.invoke, name_of(step.what))}(values)"
    if step.invocation is not None:
        call = step.invocation.written(generated, place)
    value = place(step.slot)
    if step.mode == CALL:
        return f"{value} = {call}"
    if step.mode == AWAIT:
        return f"{value} = await {call}"
    assert isinstance(step, ContextStep)
    return _ENTERED.format(
        call=call, value=value, exits="resolution.function_exits" if step.scope == "function" else "scope.stack"
    )


_GIVEN = {CONNECTION: "connection", SCOPE: "scope"}


def _in_list(slot: int) -> str:
    return _GIVEN.get(slot, f"values[{slot}]")


def _alone(slot: int) -> str:
    return _GIVEN.get(slot, f"value_{slot}")
