"""What a container is made of."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Protocol

import injector
import pytest

from wscontrollers.container import Binder, Container, Module, provider
from wscontrollers.exceptions import DeclarationError


class Clock:
    """A class of the user's own."""


class Dsn(str):
    """A text that says what it means."""


class Named(Module):
    @provider
    def name(self) -> str:
        return "module"


def configure(binder: Binder) -> None:
    binder.bind(str, to="function")


def configure_with(name: str, binder: Binder) -> None:
    binder.bind(str, to=name)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Named, "module"),
        (Named(), "module"),
        (configure, "function"),
        (partial(configure_with, "partial"), "partial"),
        (lambda binder: binder.bind(str, to="lambda"), "lambda"),
    ],
)
def test_modules_and_functions_are_installed(part: Any, name: str) -> None:
    """As injector installs them."""
    assert Container(part).get(str) == name


def test_a_class_and_an_instance_are_bound_to_the_class() -> None:
    """Also a text of a class of its own."""
    clock = Clock()
    assert Container(clock).get(Clock) is clock
    assert isinstance(Container.of(injector.Injector(auto_bind=False)).injector, injector.Injector)
    assert Container(Clock).graph.is_bound(Clock)
    assert Container(Dsn("x")).get(Dsn) == "x"


@pytest.mark.parametrize("part", [None, [Named()], (Named(),), {}, "dsn", 5, int, list, Path("/")])
def test_a_builtin_says_nothing_about_what_is_meant(part: Any) -> None:
    """`Container([Named()])` would bind a list and install nothing; `Container(int)` would make 0 of it."""
    with pytest.raises(DeclarationError, match=r"a builtin says nothing about what is meant\. Fix: give modules one by one"):
        Container(part)


@pytest.mark.parametrize("part", [lambda: None, lambda one, two: None, partial(configure, None)])
def test_a_function_takes_a_binder(part: Any) -> None:
    """And nothing else."""
    with pytest.raises(DeclarationError, match=r"it takes no Binder\. Fix: give it one parameter"):
        Container(part)


def test_a_protocol_is_no_part() -> None:
    """A protocol cannot be given as a class to bind to itself."""

    class Timer(Protocol):
        def now(self) -> float: ...

    with pytest.raises(DeclarationError, match=r"Timer is a Protocol\. Fix: bind it to a class that implements it"):
        Container(Timer)
