"""Nodes to plain functions: what is made, from where it is taken, and what is passed."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import injector
import pytest

from wscontrollers.container import Container, Module, message_scoped, multiprovider, provider, session_scoped, singleton
from wscontrollers.container.factories import build_of, factory_of, refusing
from wscontrollers.container.nodes import Node
from wscontrollers.exceptions import ContainerError, Fault
from wscontrollers.params import Query


class Clock:
    """New each time."""


@singleton
class Settings:
    """One an app."""


@session_scoped
class Cart:
    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock, self.settings = clock, settings


@message_scoped
class Unit:
    def __init__(self, cart: Cart) -> None:
        self.cart = cart


class Page:
    def __init__(self, number: Annotated[int, Query()], /, size: int = 5, *, cart: Cart) -> None:
        self.seen = (number, size, cart)


Page.__init__.__annotations__["cart"] = Cart


class Pool:
    """Awaited."""


class Work:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Production(Module):
    @session_scoped
    @provider
    async def pool(self) -> Pool:
        return Pool()

    @multiprovider
    def names(self) -> list[str]:
        return ["a"]

    @multiprovider
    def names_of_others(self) -> list[str]:
        return ["b", "c"]

    @multiprovider
    def ages(self) -> dict[str, int]:
        return {"a": 1}

    @multiprovider
    def more_ages(self) -> dict[str, int]:
        return {"b": 2}


def node_of(key: Any, *parts: Any) -> Node:
    container = Container(Production(), *parts)
    return container.graph.node(container.injector, key)


def test_each_thing_is_kept_in_its_tier() -> None:
    """New each time, one an app, one a session, one a message."""
    container = Container()
    graph = container.graph
    make = {key: factory_of(graph.node(container.injector, key)) for key in (Clock, Settings, Cart, Unit)}
    session, other = graph.session(), graph.session()
    message, later = session.message(), session.message()
    assert make[Clock](session) is not make[Clock](session)
    assert make[Settings](session) is make[Settings](other) is container.get(Settings)
    assert make[Cart](message) is make[Cart](session) is not make[Cart](other)
    assert make[Unit](message) is make[Unit](message) is not make[Unit](later)
    assert make[Unit](message).cart is make[Cart](session)
    assert make[Cart](session).settings is make[Settings](other)


def test_a_factory_is_made_once() -> None:
    """It is kept with its node, as the one that makes anew is."""
    node = node_of(Cart)
    assert factory_of(node) is factory_of(node)
    assert build_of(node) is build_of(node)
    session = node.graph.session()
    assert build_of(node)(session) is not factory_of(node)(session)


def test_inputs_are_read_from_the_scope_and_all_arguments_passed_as_they_must_be() -> None:
    """Positional, by keyword, and left to their default."""
    node = node_of(Page)
    session = node.graph.session()
    (given,) = node.inputs
    session.supply(given, 7)
    page = factory_of(node)(session)
    assert page.seen == (7, 5, factory_of(node_of_same(node, Cart))(session))


def node_of_same(node: Node, key: Any) -> Node:
    return node.graph.node(node.owner, key)


@pytest.mark.anyio
async def test_what_needs_something_awaited_is_awaited_itself() -> None:
    """Its factory is a coroutine function; the others are plain."""
    work, clock = node_of(Work), node_of(Clock)
    assert inspect.iscoroutinefunction(factory_of(work))
    assert not inspect.iscoroutinefunction(factory_of(clock))
    session = work.graph.session()
    made = await factory_of(work)(session)
    assert made.pool is await factory_of(node_of_same(work, Pool))(session)


def test_multibindings_are_joined_anew_each_time() -> None:
    """Who changes the list that it got changes nobody else's."""
    listed, mapped = node_of(list[str]), node_of(dict[str, int])
    session = listed.graph.session()
    names = factory_of(listed)(session)
    names.append("changed")
    assert factory_of(listed)(session) == ["a", "b", "c"]
    assert factory_of(mapped)(session) == {"a": 1, "b": 2}


def test_what_cannot_be_compiled_is_asked_of_injector_and_counted() -> None:
    """In its own scope, from the injector that has it."""

    def bind(binder: injector.Binder) -> None:
        binder.bind(Clock, scope=injector.threadlocal)

    node = node_of(Clock, bind)
    container = node.graph.container
    first = factory_of(node)(node.graph.session())
    assert first is factory_of(node)(node.graph.session()) is container.injector.get(Clock)
    assert container.asked == 2


def test_faults_are_raised_when_the_thing_is_asked_for() -> None:
    """All of them."""
    with pytest.raises(ContainerError, match=r"Clock: stopped\. Fix: wind it"):
        refusing([Fault("Clock", "stopped", "wind it")])(node_of(Clock).graph.session())
