"""Calls with their arguments taken from a list of values: built once at registration, run once per session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, cast

from ..callables import AnyCallable, name_of
from ..generated import Generated
from .passing import Passing, passing

Values = list[Any]


class Invocation(Passing):
    """A call whose arguments are values of a list."""

    def function(self) -> Callable[[Values], Any]:
        """A function of the values that makes the call."""
        return _by_name(self.call, self.leading, self.named) if self.named else _by_position(self.call, self.leading)

    def written(self, generated: Generated, place: Callable[[int], str]) -> str:
        """The call as an expression.

        Args:
            generated: What it is part of.
            place: The expression for the value of a slot.
        """
        passed = [place(slot) for slot in self.leading]
        if all(name.isascii() for name, _ in self.named):
            passed += [f"{name}={place(slot)}" for name, slot in self.named]
        else:  # Python reads some letters of a name as others
            passed.append("**{%s}" % ", ".join(f"{name!r}: {place(slot)}" for name, slot in self.named))  # noqa: UP031 - braces
        return f"{generated.name(self.call, name_of(self.call))}({', '.join(passed)})"


def invocation(
    call: AnyCallable,
    names: Sequence[str],
    slots: Sequence[int],
    *,
    first: int | None = None,
    like: AnyCallable | None = None,
) -> Invocation:
    """The call of `call` with the value of each slot under its name.

    Args:
        call: What is called.
        names: The parameters to pass.
        slots: Where their values are.
        first: The slot of an additional first positional argument, `self`.
        like: The callable whose parameters `call` has, if it only passes them on.
    """
    passed = passing(call, names, slots, first=first, like=like)
    return Invocation(passed.call, passed.leading, passed.named)


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


def _by_name(call: AnyCallable, leading: tuple[int, ...], named: tuple[tuple[str, int], ...]) -> Callable[[Values], Any]:
    def invoke(values: Values) -> Any:
        return call(*[values[slot] for slot in leading], **{name: values[slot] for name, slot in named})

    return invoke
