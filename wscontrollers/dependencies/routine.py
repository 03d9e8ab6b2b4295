"""The run of a plan, written out as one function: a call for each step, with neither a loop nor a function around it.

There is one for the values of a handshake (`solver`), for them and the call of an endpoint (`caller`), and for the handling of a
message (`handler`).

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
            raise ending_4.no_yield() from None
        scope.stack.append((ending_4, generator))
        return values, []

where `token_1` and its like stand for what is called. Where nobody needs the values but the endpoint, they are local variables,
and the function ends with its call (`caller`). A handler with a service of the message that cleans up becomes

    async def handle(shield, values, message, consume=None):
        scope = values[1].message()
        try:
            value5 = await factory_1(scope)
            called = say_2(values[3], message, value5)
            result = await (called if consume is None else consume(called))
        except BaseException as error:
            if not await Resolution_0(values[0], scope, shield).unwind(error):
                raise
            return None
        ...

where the rest is `_UNWOUND`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from ..callables import name_of
from ..container.exits import ENTERED, GENERATOR
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


_UNWOUND = """\
except BaseException as error:
    if not await {resolution}.unwind(error):
        raise
    return None
exits = scope.end()
if exits is not None:
    shield.shield = True
    try:
        await exits.leave(None, scope)
    finally:
        shield.shield = False
return result"""
"""The end of `try:` around a handler; what `Resolution.unwind` does, without all that is for nothing where nothing failed."""


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
    if not all(map(_can_be_written, steps)):
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


def handler(
    steps: Sequence[Step], *, endpoint: Invocation, message: int, opens_scope: bool, cleans_up: bool, title: str
) -> Callable[..., Any]:
    """The function that handles a message; see `MessagePlan.run`.

    Args:
        steps: What is done before the handler is called, in order.
        endpoint: The call of the handler.
        message: The slot of the message.
        opens_scope: Whether something lives as long as the message.
        cleans_up: Whether a step may register a clean-up.
        title: Whose plan it is, for tracebacks.
    """
    generated = Generated(title)
    made = {step.slot for step in steps}
    is_written = all(map(_can_be_written, steps))

    def place(slot: int) -> str:
        if slot == message:
            return "message"
        if slot == SCOPE:
            return "scope"
        return _local(slot) if is_written and slot in made else f"values[{slot}]"

    if not steps:
        return generated.function(f"def handle(values, message):\n    return {endpoint.written(generated, place)}\n")
    lines: list[str] = [f"scope = values[{SCOPE}]{'.message()' if opens_scope else ''}"]
    if not is_written:
        lines += ["values = values.copy()", f"values[{message}] = message", f"values[{SCOPE}] = scope"]
    resolution = f"{generated.name(Resolution)}(values[{CONNECTION}], scope{', shield' if cleans_up else ''})"
    has_resolution = not all(map(_needs_no_resolution, steps))
    if has_resolution:
        lines.append(f"resolution = {resolution}")
    body: list[str] = []
    for step in steps:
        body += _written(step, generated, place).splitlines()
    body.append(f"called = {endpoint.written(generated, place)}")
    answer = "await (called if consume is None else consume(called))"
    if not cleans_up:
        lines += [*body, f"return {answer}"]
    elif has_resolution:
        lines += ["async with resolution:", *_indented(_guarded([*body, f"return {answer}"]))]
    else:
        guarded = _guarded([*body, f"result = {answer}"])
        lines += ["try:", *_indented(guarded), *_UNWOUND.format(resolution=resolution).splitlines()]
    head = f"async def handle({'shield, ' if cleans_up else ''}values, message, consume=None):"
    return generated.function("\n".join([head, *_indented(lines)]) + "\n")


def _guarded(lines: Iterable[str]) -> list[str]:
    """What clean-ups see is what leaves a coroutine, and no StopIteration does (PEP 479)."""
    stopped = "raise RuntimeError('coroutine raised StopIteration') from stopped"
    return ["try:", *_indented(lines), "except StopIteration as stopped:", f"    {stopped}"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _needs_no_resolution(step: Step) -> bool:
    return _can_be_written(step) and not (isinstance(step, ContextStep) and step.scope == "function")


def _can_be_written(step: Step) -> bool:
    return step.mode in _WRITTEN and step.invocation is not None


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
    return ENTERED.format(
        call=call,
        value=value,
        ending=generated.name(GENERATOR, "ending"),
        exits="resolution.function_exits" if step.scope == "function" else "scope.stack",
    )


_GIVEN = {CONNECTION: "connection", SCOPE: "scope"}


def _in_list(slot: int) -> str:
    return _GIVEN.get(slot, f"values[{slot}]")


def _alone(slot: int) -> str:
    return _GIVEN.get(slot) or _local(slot)


def _local(slot: int) -> str:
    return f"value{slot}"  # no name of what is called is like this one: those end with a number behind a line
