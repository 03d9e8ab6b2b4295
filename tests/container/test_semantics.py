"""Random graphs of bindings: what a container gives is what a stock `Injector` gives, instance for instance."""

from __future__ import annotations

import abc
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NewType, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from injector import (
    AssistedBuilder,
    Binder,
    BoundKey,
    CallableProvider,
    ClassAssistedBuilder,
    ClassProvider,
    Injector,
    InstanceProvider,
    NoScope,
    ProviderOf,
    Scope,
    SingletonScope,
    inject,
    noninjectable,
    singleton,
)

from wscontrollers.container import Container
from wscontrollers.container.scopes import SessionScope

COUNT = 7


class Part:
    """The base of all random classes: it keeps what it was made with."""

    parts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class World:
    """Random classes, and functions that bind them in the injectors of a chain, outermost first."""

    keys: tuple[Any, ...]
    classes: tuple[type, ...]
    modules: tuple[Callable[..., None], ...]


def make_class(number: int, needs: list[Any], is_singleton: bool) -> type:
    """A class whose constructor asks for some keys."""
    names = [f"p{index}" for index in range(len(needs))]
    scope: dict[str, Any] = {}
    exec(f"def __init__(self, {', '.join(names)}):\n    self.parts = ({''.join(f'{name}, ' for name in names)})", scope)  # noqa: S102 - text of this test
    init = scope["__init__"]
    init.__annotations__ = dict(zip(names, needs, strict=True))
    cls = types.new_class(f"C{number}", (Part,), exec_body=lambda body: body.update(__init__=inject(init), __module__="user"))
    return singleton(cls) if is_singleton else cls


def make_function(cls: type, needs: list[Any]) -> Callable[..., Any]:
    """A provider function that makes a bare `Part` of what it is given."""
    names = [f"p{index}" for index in range(len(needs))]
    scope: dict[str, Any] = {"Part": Part, "cls": cls}
    parts = "".join(f"{name}, " for name in names)
    exec(f"def make({', '.join(names)}):\n    made = Part()\n    made.parts = ({parts})\n    return made", scope)  # noqa: S102 - text of this test
    make: Callable[..., Any] = scope["make"]
    make.__annotations__ = dict(zip(names, needs, strict=True))
    return inject(make)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Classes that need earlier ones only (cycles are faults), in every way that injector has.

    `ProviderOf` and child injectors do not meet: whether injector's `ProviderOf` looks from the parent or from the child
    depends on who was asked for it first, while a container's always looks from where it is injected.
    """
    depth = draw(st.integers(1, 3))
    keys: list[Any] = []
    classes: list[type] = []
    for number in range(draw(st.integers(2, COUNT))):
        needs = draw(st.lists(st.sampled_from(keys), max_size=3)) if keys else []
        wrapped = [
            draw(st.sampled_from([need, need, need, need if depth > 1 or isinstance(need, BoundKey) else ProviderOf[need]]))
            for need in needs
        ]
        cls = make_class(number, wrapped, draw(st.booleans()))
        classes.append(cls)
        keys.append(cls)
        extra = draw(st.sampled_from(["", "", "list", "map", "builder", "class builder", "annotated", "newtype", "bound key"]))
        if extra == "annotated":
            keys.append(Annotated[cls, number])
        elif extra == "newtype":
            keys.append(NewType(f"N{number}", cls))
        elif extra == "builder":
            keys.append(AssistedBuilder[cls])  # type: ignore[valid-type]
        elif extra == "class builder":
            keys.append(ClassAssistedBuilder[cls])  # type: ignore[valid-type]
        elif extra == "list":
            keys.append(list[cls])  # type: ignore[valid-type]
        elif extra == "map":
            keys.append(dict[str, cls])  # type: ignore[valid-type]
        elif extra == "bound key" and needs:
            keys.append(BoundKey(cls, **{f"p{index}": InstanceProvider(index) for index in range(len(needs))}))
    levels = [draw(bindings_of(keys, classes, is_root=level == 0)) for level in range(depth)]

    def module(calls: list[tuple[str, Any, Any, Any]]) -> Callable[..., None]:
        def configure(binder: Binder, kept: type[Scope] = SingletonScope) -> None:
            for how, key, to, scope in calls:
                getattr(binder, how)(key, to=to, scope=kept if scope is SingletonScope else scope)

        return configure

    return World(tuple(keys), tuple(classes), tuple(module(calls) for calls in levels))


SCOPES = st.sampled_from([None, None, SingletonScope, NoScope])


@st.composite
def bindings_of(draw: st.DrawFn, keys: list[Any], classes: list[type], *, is_root: bool) -> list[tuple[str, Any, Any, Any]]:
    """What one injector of the chain binds. The root binds every list and map, so that each is there."""
    calls: list[tuple[str, Any, Any, Any]] = []
    for place, key in enumerate(keys):
        origin = get_origin(key)
        if origin in (ProviderOf, AssistedBuilder, ClassAssistedBuilder) or isinstance(key, BoundKey):
            continue
        if origin in (list, dict):
            for _ in range(draw(st.integers(1 if is_root else 0, 2))):
                calls.append(draw(multibinding(origin, key, keys[:place])))
        elif draw(st.booleans()):
            buildable = any(get_origin(each) is AssistedBuilder and get_args(each) == (key,) for each in keys)
            calls.append(("bind", key, draw(target(key, keys[:place], buildable=buildable)), draw(SCOPES)))
    return calls


@st.composite
def target(draw: st.DrawFn, key: Any, earlier: list[Any], *, buildable: bool) -> Any:
    """What a key is bound to: itself, another class, a function, an instance or a provider.

    A class that a builder is asked for stays one: the container refuses others at start-up, injector when it builds.
    """
    others = [each for each in earlier if isinstance(each, type)]
    to_class, to_other = ["itself", "class", "class provider"], ["function", "instance", "callable provider"]
    how = draw(st.sampled_from(to_class if buildable else to_class + to_other))
    if how == "class" and others:
        return draw(st.sampled_from(others))
    if how == "class provider" and others:
        return ClassProvider(draw(st.sampled_from(others)))
    if how in ("function", "callable provider"):
        make = make_function(Part, draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else [])
        return make if how == "function" else CallableProvider(make)
    if how == "instance":
        return InstanceProvider(Part())
    return None


@st.composite
def multibinding(draw: st.DrawFn, origin: Any, key: Any, earlier: list[Any]) -> tuple[str, Any, Any, Any]:
    """One contribution to a list or map."""
    others = [each for each in earlier if isinstance(each, type)]
    scope = draw(SCOPES)
    elements: list[Any] = [draw(st.sampled_from(others)), InstanceProvider(Part()), make_function(Part, [])]
    some = draw(st.lists(st.sampled_from(elements), min_size=1, max_size=3))
    if origin is list:
        return "multibind", key, draw(st.sampled_from([some, some[0], make_function(Part, [])])), scope
    return "multibind", key, {f"k{index}": element for index, element in enumerate(some)}, scope


def chain_of(world: World, kept: type[Scope] = SingletonScope) -> list[Injector]:
    """The injectors of a world, outermost first."""
    injectors: list[Injector] = []
    for module in world.modules:
        injectors.append(Injector(partial(module, kept=kept), parent=injectors[-1] if injectors else None))
    return injectors


class Pattern:
    """The shape of things: types, and which objects are one and the same, numbered as they are met."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.kept: list[Any] = []

    def of(self, thing: Any, depth: int = 0) -> Any:
        """The shape of one thing."""
        if isinstance(thing, list):
            return [self.of(each, depth + 1) for each in thing]
        if isinstance(thing, dict):
            return {name: self.of(each, depth + 1) for name, each in thing.items()}
        if isinstance(thing, ProviderOf):
            return ("provider", self.of(thing.get(), depth + 1), self.of(thing.get(), depth + 1)) if depth < 6 else "provider"
        if isinstance(thing, AssistedBuilder):
            builder = "class" if isinstance(thing, ClassAssistedBuilder) else "any"
            return (builder, self.built(thing, depth)) if depth < 6 else builder
        if not isinstance(thing, Part):
            return thing
        seen = id(thing) in self.numbers
        self.kept.append(thing)
        number = self.numbers.setdefault(id(thing), len(self.numbers))
        return (
            (type(thing).__name__, number)
            if seen
            else (type(thing).__name__, number, [self.of(p, depth + 1) for p in thing.parts])
        )

    def built(self, builder: AssistedBuilder[Any], depth: int) -> Any:
        """What a builder builds, twice: the second time with its first argument given."""
        try:
            first = builder.build()
        except Exception as error:
            return type(error).__name__
        given = {"p0": "given"} if first.parts else {}
        return self.of(first, depth + 1), self.of(builder.build(**given), depth + 1)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_container_gives_what_injector_gives(data: st.DataObject) -> None:
    """For every graph and every order of asking, both give the same types and the same pattern of identities."""
    world = data.draw(worlds())
    order = data.draw(st.lists(st.sampled_from(world.keys), min_size=1, max_size=8))
    stock, ours = chain_of(world)[-1], chain_of(world)[-1]
    container = Container.of(ours)
    theirs_seen, ours_seen = Pattern(), Pattern()
    for key in order:
        assert ours_seen.of(container.get(key)) == theirs_seen.of(stock.get(key))
    assert container.asked == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_container_and_its_injector_share_what_they_keep(data: st.DataObject) -> None:
    """Asking a container and its injector in turns gives what asking a stock injector alone gives."""
    world = data.draw(worlds())
    order = data.draw(st.lists(st.tuples(st.sampled_from(world.keys), st.booleans()), min_size=1, max_size=8))
    stock, ours = chain_of(world)[-1], chain_of(world)[-1]
    container = Container.of(ours)
    theirs_seen, ours_seen = Pattern(), Pattern()
    for key, by_container in order:
        mine = container.get(key) if by_container else ours.get(key)
        assert ours_seen.of(mine) == theirs_seen.of(stock.get(key))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_session_keeps_its_things_as_an_injector_keeps_singletons(data: st.DataObject) -> None:
    """With every singleton made session-scoped, each session is like a stock injector of its own."""
    world = data.draw(worlds())
    order = data.draw(st.lists(st.sampled_from(world.keys), min_size=1, max_size=8))
    stocks = [chain_of(world)[-1] for _ in range(2)]
    scoped = [cls for cls in world.classes if getattr(cls, "__scope__", None) is SingletonScope]
    for cls in scoped:
        cls.__scope__ = SessionScope  # type: ignore[attr-defined]
    graph = Container.of(chain_of(world, SessionScope)[-1]).graph
    services = {key: graph.service(key) for key in order}
    for cls in scoped:
        cls.__scope__ = SingletonScope  # type: ignore[attr-defined]
    theirs_seen, ours_seen = Pattern(), Pattern()
    for stock in stocks:
        session = graph.session()
        for key in order:
            scope = data.draw(st.sampled_from([session, session.message()]))
            assert ours_seen.of(services[key].factory(scope)) == theirs_seen.of(stock.get(key))


class Abstract(abc.ABC):
    """Only the child knows how to make one."""

    @abc.abstractmethod
    def method(self) -> None:
        """Nothing."""


class Concrete(Abstract):
    """What the child binds."""

    def method(self) -> None:
        """Nothing."""


@singleton
class Keeper:
    """A singleton that needs what only a child binds."""

    @inject
    def __init__(self, part: Abstract) -> None:
        self.part = part


def test_a_singleton_that_needs_a_childs_binding_is_kept_by_the_child() -> None:
    """injector falls back from the parent to the child, once per child; so does the container."""
    root = Injector()
    first, second = (Container.of(root.create_child_injector(lambda b: b.bind(Abstract, to=Concrete))) for _ in range(2))
    assert first.get(Keeper) is first.get(Keeper) is first.injector.get(Keeper)
    assert first.get(Keeper) is not second.get(Keeper)


def test_noninjectable_parameters_are_left_alone() -> None:
    """`@noninjectable` parameters are for builders to be given."""

    class Game(Part):
        @inject
        @noninjectable("name")
        def __init__(self, keeper: Concrete, name: str) -> None:
            self.keeper, self.name = keeper, name

    Game.__init__.__annotations__.update(keeper=Concrete, name=str)
    builder = Container().get(AssistedBuilder[Game])
    assert builder.build(name="chess").name == "chess"
    with pytest.raises(TypeError, match="name"):
        builder.build()
