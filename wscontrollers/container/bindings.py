"""What injector knows, read as plain data: the only module that looks at its private attributes.

injector 0.24 has no public way to read a binding's provider, so `_bindings`, `_cls` and their like are read here, and
nowhere else; `tests/container/test_bindings.py` fails when a release of injector moves them.
"""

# injector's generic classes are bare in its own signatures (`Provider`, `BoundKey`), and its private attributes are what this
# module is for.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import inspect
from collections.abc import Iterator
from typing import Any, TypeAlias

import injector
from injector import Injector

from wscontrollers.callables import AnyCallable, name_of
from wscontrollers.container.keys import Key
from wscontrollers.container.scopes import LIFETIMES, Tier
from wscontrollers.records import Record

AnyProvider: TypeAlias = injector.Provider[Any]


class Instance(Record):
    """Always this object."""

    value: Any


class OfClass(Record):
    """A new object of the class."""

    cls: type


class OfCallable(Record):
    """What the callable gives."""

    call: AnyCallable


class OfPair(Record):
    """One element of a map binding."""

    key: Any
    value: "Recipe"


class OfElements(Record):
    """A multibinding: a fresh list or dict of its elements."""

    elements: "tuple[Bound, ...]"
    is_map: bool


class OfParts(Record):
    """A `BoundKey`: the class called with parts made by recipes of their own."""

    cls: type
    parts: "tuple[tuple[str, Recipe], ...]"


class Opaque(Record):
    """A provider that cannot be read: it is asked."""

    provider: AnyProvider


Recipe: TypeAlias = Instance | OfClass | OfCallable | OfPair | OfElements | OfParts | Opaque


class Bound(Record):
    """A binding: who owns it, how the thing is made, and how long it lives.

    Attributes:
        owner: The injector whose binder holds it.
        lifetime: The tier of its scope, None for a new one each time.
        scopes: The binder in which the objects of its scope live.
        custom: Whether its scope is one that we do not know.
    """

    key: Key
    recipe: Recipe
    owner: Injector
    lifetime: Tier | None
    scopes: injector.Binder
    custom: bool
    explicit: bool = True
    name: str = ""

    def singletons(self) -> injector.SingletonScope:
        """injector's own store of the singletons among which this one lives."""
        return scope_of(self.scopes, self.owner)


def scope_of(binder: injector.Binder, owner: Injector) -> injector.SingletonScope:
    """The `SingletonScope` of a binder."""
    binding, _ = binder.get_binding(injector.SingletonScope)
    scope: injector.SingletonScope = binding.provider.get(owner)
    return scope


def chain(inner: Injector) -> Iterator[Injector]:
    """The injector and its parents, innermost first."""
    current: Injector | None = inner
    while current is not None:
        yield current
        current = current.parent


def auto_binds(owner: Injector) -> bool:
    """Whether the injector makes classes that nobody bound."""
    return owner.binder._auto_bind


def explicit(inner: Injector, key: Key) -> Bound | None:
    """The nearest explicit binding of a key, seen from an injector."""
    try:
        hash(key)
    except TypeError:
        return None
    for owner in chain(inner):
        binding = owner.binder._bindings.get(key)
        if binding is not None and not isinstance(binding, injector.ImplicitBinding):
            return _bound(binding, owner, owner.binder, explicit=True)
    return None


def explicit_keys(inner: Injector) -> list[Key]:
    """Every key that the injector and its parents bind explicitly, injector's own housekeeping excepted."""
    keys: dict[Key, None] = {}
    for owner in chain(inner):
        for key, binding in owner.binder._bindings.items():
            if not isinstance(binding, injector.ImplicitBinding) and not _is_housekeeping(key):
                keys[key] = None
    return list(keys)


def _is_housekeeping(key: Key) -> bool:
    return key in (Injector, injector.Binder) or (isinstance(key, type) and issubclass(key, injector.Scope))


def implicit(owner: Injector, key: Key) -> Bound:
    """The binding that the injector would make for a key that nobody bound; nothing is stored."""
    if isinstance(key, injector.BoundKey):
        parts = tuple((name, recipe_of(owner.binder.provider_for(None, part))) for name, part in key.kwargs.items())
        recipe = OfParts(key.interface, parts)
        return Bound(key, recipe, owner, None, owner.binder, custom=False, explicit=False, name=name_of(key.interface))
    return _bound(owner.binder.create_binding(key), owner, owner.binder, explicit=False)


def replaced(bound: Bound, recipe: Recipe) -> Bound:
    """The binding with another way to make its thing, in the same scope (in none, if its scope is not one of ours)."""
    return Bound(bound.key, recipe, bound.owner, bound.lifetime, bound.scopes, custom=False, name=bound.name)


def _bound(binding: injector.Binding, owner: Injector, scopes: injector.Binder, *, explicit: bool, name: str = "") -> Bound:
    recipe = recipe_of(binding.provider)
    custom = binding.scope not in LIFETIMES
    lifetime = LIFETIMES.get(binding.scope)
    return Bound(binding.interface, recipe, owner, lifetime, scopes, custom, explicit, name or name_of(binding.interface))


def recipe_of(provider: AnyProvider) -> Recipe:
    """What an injector provider does, as data; subclasses of injector's providers may do anything and stay opaque."""
    kind = type(provider)
    if kind is injector.InstanceProvider:
        return Instance(provider._instance)  # type: ignore[attr-defined]
    if kind is injector.ClassProvider:
        return OfClass(provider._cls)  # type: ignore[attr-defined]
    if kind is injector.CallableProvider:
        return OfCallable(provider._callable)  # type: ignore[attr-defined]
    if kind is injector.KeyValueProvider:
        return OfPair(provider._key, recipe_of(provider._provider))  # type: ignore[attr-defined]
    if kind in (injector.MultiBindProvider, injector.MapBindProvider):
        return _elements(provider)
    return Opaque(provider)


def _elements(provider: Any) -> OfElements:
    binder: injector.Binder = provider._binder
    elements = tuple(
        _bound(binding, binder.injector, binder, explicit=True, name=_element_name(binding.provider))
        for binding in provider._multi_bindings
    )
    return OfElements(elements, is_map=isinstance(provider, injector.MapBindProvider))


def _element_name(provider: AnyProvider) -> str:
    match recipe_of(provider):
        case Instance(value):
            return name_of(type(value))
        case OfClass(cls):
            return name_of(cls)
        case OfCallable(call):
            return name_of(call)
        case OfPair(key, _):
            return f"[{key!r}]"
        case _:
            return name_of(type(provider))


def discard_raw(singletons: injector.SingletonScope, key: Key) -> None:
    """Forget a singleton that injector itself made of an async or yield provider: it is a bare coroutine or generator."""
    provider = kept(singletons).get(key)
    if type(provider) is injector.InstanceProvider:
        value = instance_in(provider)
        if inspect.iscoroutine(value) or inspect.isasyncgen(value) or inspect.isgenerator(value):
            del kept(singletons)[key]


def kept(singletons: injector.SingletonScope) -> dict[Any, AnyProvider]:
    """injector's own dict of singletons, live: key to `InstanceProvider`."""
    return singletons._context


def instance_in(provider: AnyProvider) -> Any:
    """What an `InstanceProvider` holds."""
    return provider._instance  # type: ignore[attr-defined]
