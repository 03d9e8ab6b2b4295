"""Bindings to nodes: who makes a key, of what, and what that needs."""

from __future__ import annotations

from typing import Any, Protocol

import injector
import pytest
from injector import Injector

from wscontrollers.container import AssistedBuilder, ClassAssistedBuilder, Container, Inject, ProviderOf, inject, session_scoped
from wscontrollers.container.nodes import Ask, Broken, Builder, Call, Collect, Constant, Later, Node, Pair


class Clock:
    """Needs nothing."""


class Store:
    def __init__(self, clock: Clock, name: str = "store") -> None: ...


@injector.singleton
class Kept:
    """Of the app."""


@session_scoped
class Cart:
    """Of a session."""


class Mailer(Protocol):
    def mail(self) -> None: ...


class Game:
    def __init__(self, clock: Clock, players: int) -> None: ...


class Third(injector.Provider[Clock]):
    """A provider that nobody can read."""

    def get(self, injector: Injector) -> Clock:
        return Clock()


def read(key: Any, *parts: Any) -> Node:
    container = Container(*parts)
    return container.graph.node(container.injector, key)


def texts(node: Node) -> list[str]:
    return [fault.what for fault in node.faults]


@pytest.mark.parametrize(
    ("bind", "make"),
    [
        (lambda binder: binder.bind(Clock, to=Clock()), Constant),
        (lambda binder: binder.bind(Clock, to=Clock), Call),
        (lambda binder: binder.bind(Clock, to=lambda: Clock()), Call),
        (lambda binder: binder.bind(Clock, to=Third()), Ask),
        (lambda binder: binder.bind(Clock, scope=injector.threadlocal), Ask),
        (lambda binder: None, Call),
    ],
    ids=["instance", "class", "callable", "provider", "scope", "unbound"],
)
def test_each_recipe_has_its_own_making(bind: Any, make: type) -> None:
    """What cannot be read is asked of injector: a provider or a scope of somebody's own."""
    assert type(read(Clock, bind).make) is make


def test_the_container_itself_is_a_constant() -> None:
    """Who asks for it gets it."""
    node = read(Container)
    assert isinstance(node.make, Constant)
    assert node.make.value is node.graph.container


def test_multibindings_collect_their_elements() -> None:
    """A list of them, or a map of pairs."""

    def configure(binder: injector.Binder) -> None:
        binder.multibind(list[Clock], to=[Clock, Clock()])
        binder.multibind(dict[str, Clock], to={"a": Clock})

    listed, mapped = (read(key, configure).make for key in (list[Clock], dict[str, Clock]))
    assert isinstance(listed, Collect)
    assert [type(element.make) for element in listed.elements] == [Call, Constant]
    assert isinstance(mapped, Collect)
    assert mapped.is_map
    assert [type(element.make) for element in mapped.elements] == [Pair]


def test_lazy_keys_are_read_as_what_they_make() -> None:
    """`ProviderOf` has a target; the builders have a class and the arguments that the caller need not give."""
    later = read(ProviderOf[Store]).make
    assert isinstance(later, Later)
    assert later.target.key is Store
    for key in (AssistedBuilder[Game], ClassAssistedBuilder[Game]):
        builder = read(key).make
        assert isinstance(builder, Builder)
        assert [argument.name for argument in builder.arguments] == ["clock"]


def test_a_thing_without_scope_is_made_by_the_injector_that_is_asked() -> None:
    """One with a scope by the injector that binds it or, if nobody does, by the outermost."""
    parent = Injector(lambda binder: binder.bind(Cart))
    container = Container(parent)
    owners = [container.graph.node(container.injector, key).owner for key in (Clock, Cart, Kept)]
    assert owners == [container.injector, parent, parent]


def test_only_app_things_share_injectors_store() -> None:
    """And none below an override, whose singletons are its own."""
    container = Container(Kept)
    kept, cart = (container.graph.node(container.injector, key) for key in (Kept, Cart))
    assert kept.singletons is container.injector.get(injector.SingletonScope)
    assert cart.singletons is None
    with container.override(Kept, Kept):
        assert container.graph.node(container.injector, Kept).singletons is None


def test_a_parameter_with_a_default_waits_for_a_binding() -> None:
    """Until then the default holds, and the node remembers which key is absent."""
    optional = inject(Store)
    made = read(optional).make
    assert isinstance(made, Call)
    assert [argument.name for argument in made.arguments] == ["clock"]
    assert read(optional).absent == {str}
    bound = read(optional, lambda binder: binder.bind(str, to="bound")).make
    assert isinstance(bound, Call)
    assert [argument.name for argument in bound.arguments] == ["clock", "name"]


def test_an_optional_parameter_is_filled_by_a_binding_alone() -> None:
    """It says that it may be None, and nothing is invented for it; one with another default is filled as injector does."""

    class Page:
        @inject
        def __init__(self, clock: Clock | None = None, other: Clock = Clock()) -> None:  # noqa: B008 - what is tested
            self.found = (clock, other)

    found = Container().get(Page).found
    assert [found[0], type(found[1])] == [None, Clock]
    clock = Clock()
    assert Container(clock).get(Page).found == (clock, clock)


def test_what_is_skipped_has_the_rest_passed_by_keyword() -> None:
    """`limit` keeps its default, so what is behind it has no position any more."""

    class Late:
        def __init__(self, limit: int = 5, clock: Inject[Clock] = None) -> None:  # type: ignore[assignment]  # a default
            ...

    Late.__init__.__annotations__["clock"] = Inject[Clock]
    made = read(Late).make
    assert isinstance(made, Call)
    assert [(argument.name, argument.by_keyword) for argument in made.arguments] == [("clock", True)]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (str, "builtin asked for: nothing is bound to it"),
        (Mailer, "nothing is bound to it, and it is a Protocol"),
        (AssistedBuilder[Mailer], "Mailer is not bound to a class"),
    ],
)
def test_what_nobody_can_make_is_broken(key: Any, text: str) -> None:
    """With the fault at the node."""
    node = read(key)
    assert isinstance(node.make, Broken)
    assert texts(node) == [text]


def test_a_binding_to_what_has_no_objects_is_broken() -> None:
    """An abstract class or a protocol on the right side of a binding."""
    assert texts(read(Clock, lambda binder: binder.bind(Clock, to=Mailer))) == ["Mailer is a Protocol"]


def test_without_auto_bind_only_bindings_count() -> None:
    """As the injector was made."""
    container = Container.of(Injector(auto_bind=False))
    node = container.graph.node(container.injector, Clock)
    assert texts(node) == ["nothing is bound to it, and its injector has auto_bind=False"]
