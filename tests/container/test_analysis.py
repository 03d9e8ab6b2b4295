"""Questions about nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from wscontrollers.container import Container, Module, ProviderOf, inject, provider, session_scoped, singleton
from wscontrollers.container.analysis import as_injector_would, cleans_up, inputs_of, reachable, touches
from wscontrollers.container.nodes import Node
from wscontrollers.params import Query


class Clock:
    """Needs nothing."""


class Store:
    def __init__(self, clock: Clock) -> None: ...


class Page:
    def __init__(self, store: Store, later: ProviderOf[Clock], number: Annotated[int, Query()], name: str = "page") -> None: ...


class Pool:
    """Entered for the app."""


class Cart:
    """Entered for a session."""


class Shop:
    def __init__(self, cart: Cart) -> None: ...


class Production(Module):
    @singleton
    @provider
    def pool(self) -> Iterator[Pool]:
        yield Pool()

    @session_scoped
    @provider
    def cart(self, pool: Pool) -> Iterator[Cart]:
        yield Cart()


def node_of(key: Any) -> Node:
    container = Container(Production())
    return container.graph.node(container.injector, key)


def test_what_is_needed_comes_first_and_once() -> None:
    """Now or lazily."""
    assert [node.name for node in reachable([node_of(Page)])] == ["Clock", "Store", "ProviderOf[Clock]", "Page"]


def test_a_change_touches_who_needs_the_key() -> None:
    """And who keeps a default only because nobody binds the key."""
    page = node_of(Page)
    assert touches(page, {Clock})
    assert not touches(page, {Cart})

    class Optional:
        def __init__(self, clock: Clock | None = None) -> None: ...

    optional = node_of(inject(Optional))
    assert [node.name for node in reachable([optional])] == ["test_a_change_touches_who_needs_the_key.Optional"]
    assert touches(optional, {Clock})


def test_inputs_of_all_depths_are_found() -> None:
    """In order of need."""
    assert [given.name for given in inputs_of(node_of(Page))] == ["number"]
    assert inputs_of(node_of(Store)) == ()


def test_only_sessions_and_messages_clean_up_behind_themselves() -> None:
    """What the app opened, the app closes."""
    assert cleans_up(node_of(Shop))
    assert not cleans_up(node_of(Pool))
    assert not cleans_up(node_of(Page))


def test_injector_would_not_fill_a_constructor_without_inject() -> None:
    """It calls the class without arguments; filling it is our kindness."""
    assert as_injector_would(node_of(Clock))
    assert not as_injector_would(node_of(Store))
