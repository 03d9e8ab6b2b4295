"""Calls with their arguments taken from a list of values."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest

from wscontrollers.dependencies.invoking import invocation


def three(a: Any, b: Any, c: Any = "default") -> Any:
    return [a, b, c]


class Callable3:
    def __call__(self, a: Any, b: Any, c: Any = "default") -> Any:
        return [a, b, c]

    def method(self, a: Any, b: Any, c: Any = "default") -> Any:
        return [a, b, c]


class Made:
    def __init__(self, a: Any, b: Any, c: Any = "default") -> None:
        self.values = [a, b, c]

    def __eq__(self, other: object) -> bool:
        return self.values == other

    __hash__ = None


@wraps(three)
def wrapped(*args: Any, **kwargs: Any) -> Any:
    return three(*args, **kwargs)


def only_keywords(*, a: Any, b: Any, c: Any = "default") -> Any:
    return [a, b, c]


CALLS = [three, Callable3(), Callable3().method, Made, wrapped, partial(three), only_keywords]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: getattr(call, "__name__", type(call).__name__))
def test_each_value_reaches_the_parameter_of_its_name(call: Callable[..., Any]) -> None:
    """Whatever kind of callable it is, and in whatever order the names are given."""
    values = [10, 11, 12, 13]
    assert invocation(call, ["a", "b", "c"], [1, 2, 3]).function()(values) == [11, 12, 13]
    assert invocation(call, ["c", "b", "a"], [3, 2, 1]).function()(values) == [11, 12, 13]
    assert invocation(call, ["a", "b"], [3, 3]).function()(values) == [13, 13, "default"]


def test_a_parameter_that_is_left_out_keeps_its_default() -> None:
    """Also when one behind it is passed."""

    def call(a: Any = "a", b: Any = "b", c: Any = "c") -> Any:
        return [a, b, c]

    assert invocation(call, ["c"], [0]).function()([1]) == ["a", "b", 1]
    assert invocation(call, [], []).function()([1]) == ["a", "b", "c"]


@pytest.mark.parametrize("count", range(7))
def test_any_number_of_values_is_passed(count: int) -> None:
    """From none to many."""

    names = [f"n{index}" for index in range(count)]
    namespace: dict[str, Any] = {}
    exec(f"def call({', '.join(names)}): return [{', '.join(names)}]", namespace)  # noqa: S102 - a function of `count` parameters
    assert invocation(namespace["call"], names, list(range(count))).function()(list("abcdefg")) == list("abcdefg")[:count]


def test_self_is_passed_first() -> None:
    """A method gets the instance from a slot of its own."""
    made = Callable3()
    assert invocation(Callable3.method, ["a", "b"], [0, 1], first=2).function()([1, 2, made]) == [1, 2, "default"]
    assert invocation(Callable3.method, ["c", "b", "a"], [0, 1, 1], first=2).function()([1, 2, made]) == [2, 2, 1]


def test_a_call_that_only_passes_on_has_the_parameters_of_another() -> None:
    """`like` tells whose signature counts."""

    def passing(*args: Any, **kwargs: Any) -> Any:
        return three(*args, **kwargs)

    assert invocation(passing, ["a", "b"], [0, 1], like=three).function()([1, 2]) == [1, 2, "default"]
    assert invocation(passing, ["b", "a"], [0, 1], like=three).function()([1, 2]) == [2, 1, "default"]
