"""The first use of a singleton: one for both sides, injector and container."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import injector
import pytest

from wscontrollers.container import Container, Module, provider, singleton
from wscontrollers.container.factories import build_of
from wscontrollers.container.nodes import Node
from wscontrollers.container.scopes import MISSING
from wscontrollers.container.singletons import Compiled, first_singleton, not_open
from wscontrollers.exceptions import AsyncBindingError, ContainerClosedError

THREADS = 8


@singleton
class Counter:
    """Counts how often it is made."""

    made: list[object]

    def __init__(self) -> None:
        type(self).made.append(self)


class Pool:
    """Opened with an await."""


class Production(Module):
    @singleton
    @provider
    async def pool(self) -> Pool:
        return Pool()


def node_of(container: Container, key: Any) -> Node:
    return container.graph.node(container.injector, key)


@pytest.mark.parametrize("overridden", [False, True])
def test_the_first_use_is_one_in_all_threads(overridden: bool) -> None:
    """Under injector's own lock, or under that of the override, which has singletons of its own."""
    Counter.made = []
    container = Container(Counter, Pool())
    start = Barrier(THREADS)

    def use() -> Any:
        start.wait(5)
        return container.get(Counter)

    key, replacement = (Counter, Counter) if overridden else (Pool, Pool())
    with container.override(key, replacement), ThreadPoolExecutor(THREADS) as pool:
        used = {id(future.result()) for future in [pool.submit(use) for _ in range(THREADS)]}
    assert (len(used), len(Counter.made)) == (1, 1)


def test_what_injector_made_meanwhile_is_taken() -> None:
    """The store is injector's."""
    Counter.made = []
    container = Container(Counter)
    node = node_of(container, Counter)
    first = first_singleton(node, build_of)
    theirs = container.injector.get(Counter)
    assert first() is theirs
    assert container.graph.app.values.get(node.slot, MISSING) is theirs


def test_a_compiled_provider_is_for_one_injector() -> None:
    """For every other one it is not there: so says the exception that injector's scope goes on at."""
    Counter.made = []
    container = Container(Counter)
    node = node_of(container, Counter)
    compiled = Compiled(node, build_of(node))
    assert isinstance(compiled.get(container.injector), Counter)
    with pytest.raises(injector.UnsatisfiedRequirement):
        compiled.get(injector.Injector())


def test_what_must_be_awaited_is_refused_until_it_is_open() -> None:
    """The error tells "not open yet" from "closed"."""
    container = Container(Production())
    node = node_of(container, Pool)
    with pytest.raises(AsyncBindingError, match="it must be awaited and is not open yet"):
        first_singleton(node, build_of)()
    container.graph.app.ended = True
    assert isinstance(not_open(node), ContainerClosedError)
