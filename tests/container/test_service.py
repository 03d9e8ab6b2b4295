"""What a graph answers for a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Protocol

import pytest

from wscontrollers.container import Container, Module, Tier, message_scoped, provider, session_scoped, singleton
from wscontrollers.exceptions import ContainerError
from wscontrollers.params import Query


class Clock:
    """New each time."""


class Page:
    def __init__(self, number: Annotated[int, Query()]) -> None:
        self.number = number


class Cart:
    """Entered for a session, with an await."""


class Unit:
    """Made for a message."""


class Shop:
    def __init__(self, cart: Cart, page: Page, clock: Clock) -> None: ...


class Mailer(Protocol):
    def mail(self) -> None: ...


class Shouting:
    def __init__(self, mailer: Mailer) -> None: ...


class Production(Module):
    @session_scoped
    @provider
    async def cart(self) -> AsyncIterator[Cart]:
        yield Cart()

    @message_scoped
    @provider
    def unit(self) -> Unit:
        return Unit()

    @singleton
    @provider
    def name(self) -> str:
        return "shop"


@pytest.mark.parametrize(
    ("key", "tier", "awaits", "inputs", "cleans_up"),
    [
        (Clock, Tier.APP, False, [], False),
        (str, Tier.APP, False, [], False),
        (Page, Tier.SESSION, False, ["number"], False),
        (Cart, Tier.SESSION, True, [], True),
        (Shop, Tier.SESSION, True, ["number"], True),
        (Unit, Tier.MESSAGE, False, [], False),
    ],
)
def test_what_a_planner_has_to_know(key: Any, tier: Tier, awaits: bool, inputs: list[str], cleans_up: bool) -> None:
    """The tier, whether it is awaited, what has to be there before, and whether something is left to be done."""
    service = Container(Production()).graph.service(key)
    assert (service.tier, service.awaits, [given.name for given in service.inputs], service.cleans_up) == (
        tier,
        awaits,
        inputs,
        cleans_up,
    )
    assert service.faults == ()


def test_a_faulty_service_says_so_and_refuses_to_be_made() -> None:
    """The faults have the path of those who asked."""
    graph = Container().graph
    service = graph.service(Shouting, ("Rooms",))
    (fault,) = service.faults
    assert fault.where == "Rooms -> Shouting -> Mailer"
    with pytest.raises(ContainerError, match="Rooms -> Shouting -> Mailer: nothing is bound to it"):
        service.factory(graph.session())
