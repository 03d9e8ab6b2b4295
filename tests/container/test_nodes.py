"""The graph of what is bound, as plain data."""

from __future__ import annotations

from typing import Any

import injector
import pytest

from wscontrollers.container import Container
from wscontrollers.container.inputs import Input
from wscontrollers.container.nodes import Argument, Ask, Broken, Builder, Call, Collect, Constant, Later, Make, Mode, Node, Pair


def node(name: str, make: Make | None = None) -> Node:
    """A node of an empty container."""
    container = Container()
    return Node(container.graph, container.injector, name, name, make=make)


A, B = node("a"), node("b")
GIVEN = Input("page", int, ..., print)
BOTH = (Argument("a", False, A), Argument("page", True, GIVEN), Argument("b", True, B))


@pytest.mark.parametrize(
    ("make", "needs", "lazy"),
    [
        (Constant(1), [], False),
        (Call(print, BOTH), [A, B], False),
        (Pair("key", A), [A], False),
        (Collect((A, B), is_map=False), [A, B], False),
        (Later(B), [B], True),
        (Builder(injector.AssistedBuilder, dict, dict, BOTH), [A, B], True),
        (Ask(None), [], False),
        (Broken(), [], False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_node_needs(make: Make, needs: list[Node], lazy: bool) -> None:
    """In order; those of a lazy node are needed when it is asked."""
    made = node("made", make)
    assert list(made.needs) == needs
    assert made.is_lazy is lazy


def test_inputs_are_no_needs() -> None:
    """They come from the handshake."""
    assert list(node("made", Call(print, BOTH)).inputs) == [GIVEN]
    assert list(node("made", Constant(1)).inputs) == []


def test_what_cannot_be_made_is_broken() -> None:
    """Until somebody says how it is made."""
    assert isinstance(node("new").make, Broken)


@pytest.mark.parametrize(
    ("mode", "awaits", "cleans_up"),
    [
        (Mode.VALUE, False, False),
        (Mode.AWAIT, True, False),
        (Mode.GENERATOR, False, True),
        (Mode.ASYNC_GENERATOR, True, True),
        (Mode.ENTER, False, True),
        (Mode.ASYNC_ENTER, True, True),
        (Mode.AWAIT_ENTER, True, True),
        (Mode.AWAIT_ASYNC_ENTER, True, True),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_a_mode_means(mode: Any, awaits: bool, cleans_up: bool) -> None:
    """Whether having the value takes an await, and whether something is left to be done."""
    assert (mode.awaits, mode.cleans_up) == (awaits, cleans_up)
