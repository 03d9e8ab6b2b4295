"""What has to be awaited."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.container import Container, Module, ProviderOf, provider, session_scoped, singleton
from wscontrollers.container.waiting import awaits, build_awaits


class Pool:
    """Opened for the app, with an await."""


class Cart:
    """Made for a session, with an await."""


class Clock:
    """Made at once."""


class UsesPool:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class UsesCart:
    def __init__(self, clock: Clock, cart: Cart) -> None:
        self.cart = cart


class AsksForCartLater:
    def __init__(self, cart: ProviderOf[Cart]) -> None:
        self.cart = cart


@singleton
class KeepsPool:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Production(Module):
    @singleton
    @provider
    async def pool(self) -> Pool:
        return Pool()

    @session_scoped
    @provider
    async def cart(self) -> Cart:
        return Cart()


@pytest.mark.parametrize(
    ("key", "having", "making"),
    [
        (Clock, False, False),
        (Pool, False, True),  # opened before, then just read
        (UsesPool, False, False),
        (KeepsPool, False, False),
        (Cart, True, True),
        (UsesCart, True, True),
        (AsksForCartLater, False, False),
    ],
)
def test_what_awaits(key: Any, having: bool, making: bool) -> None:
    """What is awaited itself, or needs at once what is; the app's own resources are there when anybody asks."""
    container = Container(Production())
    node = container.graph.node(container.injector, key)
    assert (awaits(node), build_awaits(node)) == (having, making)


def test_a_cycle_ends() -> None:
    """What needs itself is a fault of its own, and no endless search."""

    class Hen:
        def __init__(self, egg: Any) -> None: ...

    class Egg:
        def __init__(self, hen: Hen) -> None: ...

    Hen.__init__.__annotations__["egg"] = Egg
    Egg.__init__.__annotations__["hen"] = Hen
    container = Container()
    assert not build_awaits(container.graph.node(container.injector, Hen))
