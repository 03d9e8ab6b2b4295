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

where `token_1` and its like stand for what is called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ..callables import name_of
from ..generated import Generated
from .fields import ErrorDetail
from .invoking import Values
from .parameters import Parameters
from .resolution import Resolution
from .steps import AWAIT, CALL, CONNECTION, ENTER, SCOPE, ContextStep, Step

Solved = tuple[Values, list[ErrorDetail]]
SolveSiblings = Callable[[Values, Resolution], Awaitable[None]]

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
        lines += _written(step, generated).splitlines()
    text = "\n    ".join(["async def solve(resolution):", *lines, "return values, []"])
    return generated.function(text + "\n")


def _written(step: Step, generated: Generated) -> str:
    """The lines of a step."""
    if step.mode not in (CALL, AWAIT, ENTER):
        return f"await {generated.name(step.run, 'run_' + name_of(step.what))}(values, resolution)"
    call = f"{generated.name(step.invoke, name_of(step.what))}(values)"
    if step.invocation is not None:
        call = step.invocation.written(generated, _place)
    value = _place(step.slot)
    if step.mode == CALL:
        return f"{value} = {call}"
    if step.mode == AWAIT:
        return f"{value} = await {call}"
    assert isinstance(step, ContextStep)
    return _ENTERED.format(
        call=call, value=value, exits="resolution.function_exits" if step.scope == "function" else "scope.stack"
    )


def _place(slot: int) -> str:
    return {CONNECTION: "connection", SCOPE: "scope"}.get(slot, f"values[{slot}]")
