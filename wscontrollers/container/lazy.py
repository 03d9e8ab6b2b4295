"""`ProviderOf` and `AssistedBuilder` that resolve in the scope they were injected in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import injector

from wscontrollers.callables import name_of
from wscontrollers.container.construction import constructor_of
from wscontrollers.container.nodes import Builder, Later, Node
from wscontrollers.container.scopes import Scope, Tier
from wscontrollers.exceptions import ContainerClosedError

T = TypeVar("T")


class ScopedProviderOf(injector.ProviderOf[T]):
    """injector's `ProviderOf`, whose `get` sees the session, message or override it was injected in."""

    def __init__(self, node: Node, scope: Scope, factory_of: Callable[[Node], Callable[[Any], Any]]) -> None:
        assert isinstance(node.make, Later)
        super().__init__(node.owner, node.make.target.key)
        self._target = node.make.target
        self._scope = scope
        self._factory_of = factory_of

    def get(self) -> T:
        """The thing, kept or made as its scope says.

        Raises:
            ContainerClosedError: the session or message is over.
        """
        _check_open(self._scope, self._target.name)
        value: T = self._factory_of(self._target)(self._scope)
        return value


class _ScopedBuilder(injector.AssistedBuilder[T]):
    """What both builders do here."""

    def __init__(self, node: Node, scope: Scope, suppliers: Mapping[str, Callable[[Scope], Any]]) -> None:
        assert isinstance(node.make, Builder)
        super().__init__(node.owner, node.make.target)
        self._construct = constructor_of(node.make.cls)
        self._scope = scope
        self._suppliers = suppliers

    def build(self, **kwargs: Any) -> T:
        """A new object: what is given by keyword is not injected.

        Raises:
            ContainerClosedError: the session or message is over.
        """
        scope = self._scope
        _check_open(scope, name_of(self._target))
        injected = {name: supply(scope) for name, supply in self._suppliers.items() if name not in kwargs}
        built: T = self._construct(**injected, **kwargs)
        return built


class ScopedAssistedBuilder(_ScopedBuilder[T]):
    """injector's `AssistedBuilder`, which builds the class that the target is bound to."""


class ScopedClassAssistedBuilder(_ScopedBuilder[T], injector.ClassAssistedBuilder[T]):
    """injector's `ClassAssistedBuilder`, which builds the target itself."""


def provider_of(node: Node, factory_of: Callable[[Node], Callable[[Any], Any]]) -> Callable[[Scope], ScopedProviderOf[Any]]:
    """Makes the `ProviderOf` of a node for a scope."""
    return lambda scope: ScopedProviderOf(node, scope, factory_of)


def builder_of(node: Node, suppliers: Mapping[str, Callable[[Scope], Any]]) -> Callable[[Scope], injector.AssistedBuilder[Any]]:
    """Makes the builder of a node for a scope."""
    assert isinstance(node.make, Builder)
    if node.make.kind is injector.ClassAssistedBuilder:
        return lambda scope: ScopedClassAssistedBuilder[Any](node, scope, suppliers)
    return lambda scope: ScopedAssistedBuilder[Any](node, scope, suppliers)


def _check_open(scope: Scope, name: str) -> None:
    if scope.closed and scope.tier is not Tier.APP:
        raise ContainerClosedError(
            f"{name} was asked for after the end of its {scope.tier}. Fix: ask for it before, or keep what was asked for."
        )
