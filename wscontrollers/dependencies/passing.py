"""How the arguments of a call are passed: by position, or by name."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ..callables import AnyCallable
from ..records import Record

_TAKEN: Any = object()


class Passing(Record):
    """The arguments of a call, each by the slot of its value.

    Attributes:
        call: What is called.
        leading: The slots of those that are passed by position.
        named: Those that are passed by name, each with its name.
    """

    call: AnyCallable
    leading: tuple[int, ...] = ()
    named: tuple[tuple[str, int], ...] = ()


def passing(
    call: AnyCallable,
    names: Sequence[str],
    slots: Sequence[int],
    *,
    first: int | None = None,
    like: AnyCallable | None = None,
) -> Passing:
    """How `call` is given the value of each slot under its name.

    Parameters that have no name for their callers are passed by position; a plain function's first ones too, as that is faster.

    Args:
        call: What is called.
        names: The parameters to pass.
        slots: Where their values are.
        first: The slot of an additional first positional argument, `self`.
        like: The callable whose parameters `call` has, if it only passes them on.
    """
    before = () if first is None else (first,)
    slot_of = dict(zip(names, slots, strict=True))
    parameters = _parameters(like or call, names, skip=len(before))
    leading = _nameless(parameters, slot_of)
    given = [parameter.name for parameter in leading if parameter.name in slot_of]
    if len(given) < len(leading):
        defaults = [_TAKEN if parameter.name in slot_of else parameter.default for parameter in leading]
        call = _filling([*[_TAKEN] * len(before), *defaults], call)
    elif _is_plain(like or call):
        given += _in_order(parameters[len(leading) :], names[len(given) :]) if given == list(names[: len(given)]) else []
    named = tuple((name, slot) for name, slot in slot_of.items() if name not in given)
    return Passing(call, (*before, *[slot_of[name] for name in given]), named)


def _parameters(call: AnyCallable, names: Sequence[str], *, skip: int) -> list[inspect.Parameter]:
    found = _signature(call)[skip:]
    if inspect.isclass(call) and not set(names).issubset(parameter.name for parameter in found):
        found = _signature(call.__init__)[1:]  # of a class whose `__new__` takes anything, the parameters are there
    return found


def _signature(call: AnyCallable) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return []


def _is_plain(call: AnyCallable) -> bool:
    """Whether a call surely takes by position what its signature names: no wrapper, which may pass on as it likes."""
    return (inspect.isfunction(call) or inspect.ismethod(call) or inspect.isclass(call)) and not hasattr(call, "__wrapped__")


def _nameless(parameters: Sequence[inspect.Parameter], names: dict[str, int]) -> list[inspect.Parameter]:
    """The positional-only parameters up to the last one that is passed."""
    found = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_ONLY]
    while found and found[-1].name not in names:
        found.pop()
    return found


def _in_order(parameters: Sequence[inspect.Parameter], names: Sequence[str]) -> list[str]:
    """The names that are those of the next parameters, as far as these can be passed by position."""
    found: list[str] = []
    for parameter, name in zip(parameters, names, strict=False):
        if parameter.name != name or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        found.append(name)
    return found


def _filling(leading: Sequence[Any], call: AnyCallable) -> AnyCallable:
    """The call with defaults between its leading arguments, where one that is left out has no name."""

    def filling(*given: Any, **named: Any) -> Any:
        values = iter(given)
        return call(*[next(values) if each is _TAKEN else each for each in leading], **named)

    return filling
