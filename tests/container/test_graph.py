"""A snapshot of compiled bindings."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
import pytest

from wscontrollers.container import Container, Graph, Module, provider, session_scoped, singleton
from wscontrollers.params import Query


class Clock:
    """Needs nothing."""


class Stopped(Clock):
    """Another clock."""


class Store:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class Counter:
    """Nothing of a clock."""


@session_scoped
class Page:
    def __init__(self, number: Annotated[int, Query()]) -> None:
        self.number = number


class Pool:
    """Opened for the app."""


class Production(Module):
    @singleton
    @provider
    async def pool(self) -> Pool:
        return Pool()

    @provider
    def name(self) -> str:
        return "name"


def test_a_service_is_compiled_once_for_each_way_to_it() -> None:
    """The way is for its faults."""
    graph = Container().graph
    assert graph.service(Store, ("Rooms",)) is graph.service(Store, ("Rooms",))
    assert graph.service(Store, ("Rooms",)).factory is graph.service(Store, ("Chat",)).factory


def test_what_supplies_a_parameter_without_a_mark() -> None:
    """What is bound, bare builtins excepted, and classes of the user's own; never what a session supplies."""
    graph = Container(Production()).graph
    keys: list[Any] = [Pool, Clock, Container, str, int, list[str], {}]
    assert [graph.supplies(key) for key in keys] == [True, True, True, False, False, False, False]
    assert [graph.is_bound(key) for key in keys] == [True, False, True, True, False, False, False]


def test_an_override_shares_what_it_does_not_change() -> None:
    """Only what needs the key is read anew; the graph below stays as it is."""
    container = Container(Production())
    below = container.graph
    below.service(Store)
    with container.override(Clock, Stopped):
        above = container.graph
        inner = container.injector
        assert above.below is below
        assert above.node(inner, Pool) is below.node(inner, Pool)
        assert above.node(inner, Store) is not below.node(inner, Store)
        assert isinstance(above.service(Store).factory(above.session()).clock, Stopped)
        assert type(below.service(Store).factory(below.session()).clock) is Clock
    assert container.graph is below


def test_known_keys_are_those_that_something_uses() -> None:
    """Bound, asked for, or needed by one of these."""
    graph = Container(Production()).graph
    assert Clock not in graph.known_keys()
    graph.service(Store)
    assert {Store, Clock, Pool, str} <= graph.known_keys()
    assert Counter not in graph.known_keys()


def test_an_input_is_one_for_each_parameter() -> None:
    """In all graphs of a container, so that a plan and an override speak of the same."""
    container = Container()
    first = container.graph.input_of(Page, "number", int, ...)
    assert container.graph.input_of(Page, "number", int, ...) is first
    assert container.graph.input_of(Page, "other", int, ...) is not first
    assert Graph(container, below=container.graph).input_of(Page, "number", int, ...) is first


def test_what_cannot_be_a_key_is_a_fault_of_the_one_who_asked() -> None:
    """A list has no hash."""
    (fault,) = Container().graph.service([1], ("Rooms",)).faults
    assert (fault.where, fault.what) == ("Rooms -> [1]", "it cannot be a key")


@pytest.mark.anyio
async def test_a_graph_is_open_when_all_that_is_awaited_is() -> None:
    """A key that is asked for later may have to be opened, too."""
    graph = Container(Production()).graph
    assert not graph.is_open
    await graph.ensure_open()
    assert graph.is_open
    graph.service(Store)
    assert not graph.is_open
    await graph.ensure_open()
    assert graph.is_open
    graph.unsettle()
    assert not graph.is_open


def test_what_was_opened_in_an_event_loop_that_has_ended_is_opened_anew() -> None:
    """Where there is nothing to close, nothing has to be said."""
    container = Container(Production())
    pools = [anyio.run(container.aget, Pool) for _ in range(2)]
    assert pools[0] is pools[1]
