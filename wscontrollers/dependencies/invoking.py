"""Calls with their arguments taken from a list of values: built once at registration, run once per session."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, cast

from ..callables import AnyCallable

Values = list[Any]


def invoker(
    call: AnyCallable,
    names: Sequence[str],
    slots: Sequence[int],
    *,
    first: int | None = None,
    like: AnyCallable | None = None,
) -> Callable[[Values], Any]:
    """A function of the values that calls `call` with the value of each slot under its name.

    Args:
        call: What is called.
        names: The parameters to pass.
        slots: Where their values are.
        first: The slot of an additional first positional argument, `self`.
        like: The callable whose parameters `call` has, if it only passes them on.
    """
    positional = 0 if first is None else 1
    if first is not None:
        slots = (first, *slots)
    if _positional(like or call, names, skip=positional):
        return _by_position(call, tuple(slots))
    return _by_name(call, tuple(names), tuple(slots), positional)


def caller(
    call: AnyCallable, names: Sequence[str], slots: Sequence[int], *, message: int, first: int | None = None
) -> Callable[[Values, Any], Any]:
    """The same for a handler: a function of the values of its session and of the message, which has a slot as well."""
    taken = list(slots) if first is None else [first, *slots]
    if taken[1:2] == [message] and len(taken) <= 3 and _positional(call, names, skip=0 if first is None else 1):
        a = taken[0]
        if len(taken) == 2:
            return lambda values, arrived: call(values[a], arrived)
        b = taken[2]
        return lambda values, arrived: call(values[a], arrived, values[b])
    invoke = invoker(call, names, slots, first=first)

    def invoke_with(values: Values, arrived: Any) -> Any:
        # No copy: the arguments are taken out of the list before anything else can run.
        values[message] = arrived
        return invoke(values)

    return invoke_with


def _positional(call: AnyCallable, names: Sequence[str], *, skip: int) -> bool:
    """Whether the names are the first parameters of the call and may be passed without them."""
    if not (inspect.isfunction(call) or inspect.ismethod(call) or inspect.isclass(call)) or hasattr(call, "__wrapped__"):
        return not names
    try:
        parameters = list(inspect.signature(call).parameters.values())[skip : skip + len(names)]
    except (TypeError, ValueError):
        return not names
    return [parameter.name for parameter in parameters] == list(names) and all(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters
    )


def _by_position(call: AnyCallable, slots: tuple[int, ...]) -> Callable[[Values], Any]:
    if not slots:
        return lambda values: call()
    if len(slots) == 1:
        (a,) = slots
        return lambda values: call(values[a])
    if len(slots) == 2:
        a, b = slots
        return lambda values: call(values[a], values[b])
    if len(slots) == 3:
        a, b, c = slots
        return lambda values: call(values[a], values[b], values[c])
    take = cast("Callable[[Values], tuple[Any, ...]]", itemgetter(*slots))
    return lambda values: call(*take(values))


def _by_name(call: AnyCallable, names: tuple[str, ...], slots: tuple[int, ...], positional: int) -> Callable[[Values], Any]:
    leading, named = slots[:positional], tuple(zip(names, slots[positional:], strict=True))

    def invoke(values: Values) -> Any:
        return call(*[values[slot] for slot in leading], **{name: values[slot] for name, slot in named})

    return invoke
