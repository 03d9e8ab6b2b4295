"""`validate()`: every fault at once, each with its path."""

from __future__ import annotations

import abc
from typing import Protocol

import pytest
from pydantic import BaseModel
from starlette.websockets import WebSocket

from wscontrollers.container import (
    Binder,
    Container,
    Module,
    ProviderOf,
    inject,
    message_scoped,
    multiprovider,
    provider,
    session_scoped,
    singleton,
)
from wscontrollers.exceptions import AsyncBindingError, ContainerError, ScopeLeakError


class Abstract(abc.ABC):
    """Cannot be made."""

    @abc.abstractmethod
    def method(self) -> None:
        """Nothing."""


class Shape(Protocol):
    """Cannot be made either."""


class Model(BaseModel):
    """Is never invented."""


class Pool:
    """Needs an address, which is a builtin."""

    @inject
    def __init__(self, address: str) -> None:
        self.address = address


class History:
    """Needs the pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Abstracted:
    """Needs what is abstract."""

    def __init__(self, shape: Shape, abstract: Abstract, model: Model) -> None:
        """Nothing."""


class Egg:
    """Needs a hen."""

    def __init__(self, hen: Hen) -> None:
        """Nothing."""


class Hen:
    """Needs an egg."""

    def __init__(self, egg: Egg) -> None:
        """Nothing."""


@session_scoped
class Cart:
    """Lives in a session."""


@message_scoped
class Work:
    """Lives in a message."""


@session_scoped
class Basket:
    """Lives in a session, and needs what lives shorter."""

    def __init__(self, work: Work) -> None:
        self.work = work


class Shelf:
    """Lives as long as who asks, and needs a cart."""

    def __init__(self, cart: Cart) -> None:
        self.cart = cart


@singleton
class Cache:
    """Lives as long as the app, and needs what lives shorter."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf


def faults_of(*parts: object) -> list[str]:
    """The faults that validation finds."""
    with pytest.raises(ContainerError) as caught:
        Container(*parts).validate()
    return [str(fault) for fault in caught.value.faults]


def test_a_missing_builtin_is_drawn_from_the_controller_down() -> None:
    """The place is the path: who asks, through whom, for what."""
    faults = Container().graph.service(History, ("Rooms",)).faults
    assert [fault.where for fault in faults] == ["Rooms -> History -> Pool -> str"]
    assert "builtin asked for" in faults[0].what


def test_validate_uses_the_path_of_those_who_asked() -> None:
    """A fault that a controller runs into is shown once, from the controller down."""
    container = Container(History)
    container.graph.service(History, ("Rooms",))
    with pytest.raises(ContainerError) as caught:
        container.validate()
    assert [fault.where for fault in caught.value.faults] == ["Rooms -> History -> Pool -> str"]


def test_abstract_classes_protocols_and_models_are_missing() -> None:
    """Nothing of the kind is ever invented, and all of them are told at once."""
    faults = faults_of(Abstracted)
    assert len(faults) == 3
    assert "Protocol" in faults[0]
    assert "abstract (method)" in faults[1]
    assert "pydantic model" in faults[2]


def test_a_cycle_is_drawn() -> None:
    """The cycle is a fault of its own kind, once."""
    (fault,) = faults_of(Hen)
    assert "cycle: Hen -> Egg -> Hen" in fault


def test_a_provider_of_breaks_a_cycle() -> None:
    """What is asked for later is no cycle."""

    class Late:
        def __init__(self, early: ProviderOf[Early]) -> None:  # type: ignore[name-defined]
            self.early = early

    class Early:
        def __init__(self, late: Late) -> None:
            self.late = late

    Late.__init__.__annotations__["early"] = ProviderOf[Early]
    Early.__init__.__annotations__["late"] = Late
    container = Container(Late, Early)
    container.validate()
    assert isinstance(container.get(Early).late.early.get(), Early)


def test_a_scope_leak_is_drawn_with_tiers() -> None:
    """Through things without a scope too; and the error has a class of its own."""
    with pytest.raises(ScopeLeakError, match=r"Cache \(app\) -> Shelf -> Cart \(session\)"):
        Container(Cache).validate()


def test_a_session_thing_that_needs_a_messages_thing_leaks() -> None:
    """Tiers are app > session > message."""

    with pytest.raises(ScopeLeakError, match=r"Basket \(session\) -> Work \(message\)"):
        Container(Basket).validate()


def test_a_singleton_that_needs_the_websocket_leaks() -> None:
    """What only a handshake supplies lives in a session."""

    @singleton
    class Hub:
        def __init__(self, websocket: WebSocket) -> None:
            self.websocket = websocket

    Hub.__init__.__annotations__["websocket"] = WebSocket
    with pytest.raises(ScopeLeakError, match=r"Hub \(app\) -> websocket: WebSocket \(session\)"):
        Container(Hub).validate()


def test_a_lazy_leak_is_a_leak() -> None:
    """A singleton's `ProviderOf` would be asked outside of any session."""

    @singleton
    class Lazy:
        def __init__(self, cart: ProviderOf[Cart]) -> None:
            self.cart = cart

    Lazy.__init__.__annotations__["cart"] = ProviderOf[Cart]
    with pytest.raises(ScopeLeakError, match=r"Lazy \(app\) -> ProviderOf\[Cart\] -> Cart \(session\)"):
        Container(Lazy).validate()


class Late:
    """Asks for a thing later."""

    def __init__(self, pool: ProviderOf[Pool]) -> None:
        self.pool = pool


def test_lazy_access_to_what_must_be_awaited_is_a_fault() -> None:
    """`ProviderOf.get` is synchronous."""

    async def pool() -> Pool:
        return Pool("a")

    with pytest.raises(AsyncBindingError, match="Pool must be awaited"):
        Container(Late, lambda binder: binder.bind(Pool, to=pool)).validate()
    Container(Late, lambda binder: binder.bind(Pool, to=pool, scope=singleton)).validate()


def test_multibound_elements_are_looked_at() -> None:
    """Elements are made as everything is, and can be faulty as everything can."""

    def bind(binder: Binder) -> None:
        binder.multibind(list[object], to=[Pool])

    (fault,) = faults_of(bind)
    assert "Pool -> str" in fault


def test_parents_bindings_are_looked_at() -> None:
    """A binding in a parent of the container's injector is part of it."""
    parent = Container(History).injector
    assert faults_of(parent)


def test_a_sound_container_has_no_faults() -> None:
    """Explicit bindings make anything a service."""

    class Sound(Module):
        @provider
        def address(self) -> str:
            return "here"

        @multiprovider
        def names(self) -> list[str]:
            return ["a"]

    Container(Sound(), Model(), History).validate()


def test_what_cannot_be_a_key_is_a_fault() -> None:
    """`service` never raises for what it is asked."""
    assert "cannot be a key" in Container().graph.service([]).faults[0].what
