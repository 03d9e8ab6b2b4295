"""How an object of a class is made: as injector makes it."""

from __future__ import annotations

from typing import Any

from injector import Injector

from wscontrollers.container.construction import constructor_of


class Plain:
    """Nothing of its own."""

    def __init__(self, name: str = "plain") -> None:
        self.name = name


class Pooled:
    """With a `__new__` that takes no arguments of the constructor."""

    def __new__(cls) -> Pooled:
        made = super().__new__(cls)
        made.origin = "new"
        return made

    def __init__(self, name: str = "pooled") -> None:
        self.name = name

    origin: str


class Counting(type):
    """A metaclass that would count calls of its classes."""

    calls = 0

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        Counting.calls += 1
        return super().__call__(*args, **kwargs)


class Counted(metaclass=Counting):
    """Of the metaclass."""


def test_a_plain_class_is_its_own_constructor() -> None:
    """Nothing stands between."""
    assert constructor_of(Plain) is Plain


def test_new_is_called_without_arguments() -> None:
    """`Pooled(name="x")` would be a `TypeError`; injector calls `__new__` bare and then `__init__`."""
    made = constructor_of(Pooled)(name="x")
    assert (made.name, made.origin) == ("x", "new")
    assert (Injector().get(Pooled).name, Injector().get(Pooled).origin) == ("pooled", "new")


def test_the_metaclass_is_not_asked() -> None:
    """As injector does not ask it."""
    assert isinstance(constructor_of(Counted)(), Counted)
    Injector().get(Counted)
    assert Counting.calls == 0
