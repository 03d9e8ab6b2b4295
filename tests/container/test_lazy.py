"""`ProviderOf` and the builders resolve in the scope they were injected in."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.container import AssistedBuilder, ClassAssistedBuilder, Container, ProviderOf, session_scoped
from wscontrollers.exceptions import ContainerClosedError, ContainerError


@session_scoped
class Cart:
    """One a session."""


class Page:
    """Asks for the cart later."""

    def __init__(self, cart: ProviderOf[Cart]) -> None:
        self.cart = cart


class Game:
    """Built with a name that only the caller knows."""

    def __init__(self, cart: Cart, name: str) -> None:
        self.cart = cart
        self.name = name


class Lobby:
    """Builds games."""

    def __init__(self, games: AssistedBuilder[Game]) -> None:
        self.games = games


class Chess(Game):
    """A game that `Game` is bound to."""


@pytest.mark.anyio
async def test_a_provider_gives_the_things_of_its_own_session() -> None:
    """And says so when that is over."""
    graph = Container().graph
    session, other = graph.session(), graph.session()
    page = graph.service(Page).factory(session.message())
    assert page.cart.get() is graph.service(Cart).factory(session)
    assert page.cart.get() is not graph.service(Cart).factory(other)
    lobby = graph.service(Lobby).factory(session)
    await session.close()
    with pytest.raises(ContainerClosedError, match="after the end of its session"):
        lobby.games.build(name="chess")


def test_a_builder_injects_what_is_not_given() -> None:
    """What is given by keyword wins; each call builds a new object of the bound class."""
    graph = Container(lambda binder: binder.bind(Game, to=Chess)).graph
    session = graph.session()
    builder = graph.service(Lobby).factory(session).games
    game = builder.build(name="chess")
    assert isinstance(game, Chess)
    assert game.cart is graph.service(Cart).factory(session)
    assert builder.build(name="go", cart="given").cart == "given"
    assert builder.build(name="go") is not builder.build(name="go")


def test_a_class_builder_builds_the_class_itself() -> None:
    """Whatever it is bound to."""
    graph = Container(lambda binder: binder.bind(Game, to=Chess)).graph
    builder: Any = graph.service(ClassAssistedBuilder[Game]).factory(graph.session())
    assert type(builder.build(name="go")) is Game


def test_a_builder_of_what_is_no_class_is_a_fault() -> None:
    """injector finds that out when it builds, the container when it starts."""
    with pytest.raises(ContainerError, match="not bound to a class"):
        Container(Lobby, lambda binder: binder.bind(Game, to=lambda: None)).validate()
