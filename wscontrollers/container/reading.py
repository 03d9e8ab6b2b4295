"""Bindings to nodes: who makes a key, of what, and what that needs."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import injector
from injector import Injector

from wscontrollers.callables import name_of
from wscontrollers.container import analysis, bindings, keys
from wscontrollers.container.bindings import Bound, Recipe
from wscontrollers.container.construction import constructor_of
from wscontrollers.container.faults import found_in
from wscontrollers.container.keys import Key
from wscontrollers.container.nodes import Argument, Ask, Broken, Builder, Call, Collect, Constant, Later, Make, Node, Pair
from wscontrollers.container.parameters import Parameter, UnreadableError, parameters_of
from wscontrollers.container.providers import mode_of
from wscontrollers.container.scopes import Tier
from wscontrollers.exceptions import Fault

if TYPE_CHECKING:
    from wscontrollers.container.graph import Graph


MAX_DEPTH = 100
"""How many things may stand below each other, each needed by the one above: reading and making them takes frames of Python's."""


class Reader:
    """Reads the nodes of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._depth = 0

    def read(self, inner: Injector, key: Key) -> Node:
        """The node of a key, seen from an injector, by the rules of injector 0.24 (`Injector.get`, `Binder.get_binding`).

        A thing without scope is made by the injector that is asked; one with a scope by the injector that binds it or,
        if nobody does, by the outermost parent that can.
        """
        if self._depth > MAX_DEPTH:
            return self._kept(inner, key, _too_deep(Node(self.graph, inner, key, name_of(key))))
        self._depth += 1
        try:
            bound = self.graph.bound(inner, key)
            if bound is None:
                if key in self.graph.specials:
                    return self._kept(
                        inner, key, Node(self.graph, inner, key, name_of(key), make=Constant(self.graph.specials[key]))
                    )
                if keys.is_lazy(key):
                    return self._lazy(inner, key)
                if not self.graph.can_make(inner, key):
                    return self._kept(inner, key, self._missing(inner, key))
                bound = bindings.implicit(inner, key)
                if bound.lifetime is not None:
                    return self._outermost(inner, bound, lambda owner: self._explicit_or_made(owner, inner, bound))
            if bound.lifetime is not None and bound.owner is not inner:
                node = self.graph.node(bound.owner, key)
                return self._kept(inner, key, node)
            return self._made(inner, bound)
        finally:
            self._depth -= 1

    def read_element(self, inner: Injector, bound: Bound) -> Node:
        """The node of an element of a multibinding. A scoped one is made as if nobody had bound its secret key."""
        if bound.lifetime is None or bound.custom:
            return self._made(inner, bound)
        return self._outermost(inner, bound, lambda owner: self._made(owner, bound))

    def _explicit_or_made(self, owner: Injector, inner: Injector, bound: Bound) -> Node:
        return self._made(inner, bound) if owner is inner else self.graph.node(owner, bound.key)

    def _outermost(self, inner: Injector, bound: Bound, make: Callable[[Injector], Node]) -> Node:
        """Among the injector and its parents, the outermost that can make the thing as injector would; it keeps it too.

        Source: `SingletonScope._get_instance`, which tries the parent first and falls back when that raises.
        """
        start = bound.owner if bound.explicit else inner
        outer = list(bindings.chain(start))[:0:-1]
        candidates = [make(owner) for owner in outer]
        if not candidates:
            return self._kept(inner, bound.key, make(start))
        sound = next((node for node in candidates if analysis.as_injector_would(node)), None)
        if sound is None:
            own = make(start)
            candidates = [] if analysis.as_injector_would(own) else [node for node in candidates if not found_in(node)]
            sound = candidates[0] if candidates else own
        return self._kept(inner, bound.key, sound)

    def _kept(self, inner: Injector, key: Key, node: Node) -> Node:
        self.graph.remember(inner, key, node)
        return node

    def _made(self, owner: Injector, bound: Bound) -> Node:
        node = Node(self.graph, owner, bound.key, bound.name, lifetime=bound.lifetime)
        if bound.lifetime is not None:
            node.slot = bound.key if owner is self.graph.container.injector else (id(owner), bound.key)
        if bound.lifetime is Tier.APP and self.graph.below is None:
            node.singletons = bound.singletons()
        self.graph.remember(owner, bound.key, node)
        try:
            node.make = Ask(None) if bound.custom else self._make(node, bound.recipe)
        except RecursionError:  # whoever asks may stand deep himself
            return _too_deep(node)
        node.depth = 0 if node.is_lazy else 1 + max((needed.depth for needed in node.needs), default=0)
        return _too_deep(node) if node.depth == MAX_DEPTH + 1 else node  # those above it have it among what they need

    def _missing(self, inner: Injector, key: Key) -> Node:
        node = Node(self.graph, inner, key, name_of(key))
        reason = keys.why_not_constructible(key)
        why = "its injector has auto_bind=False" if reason is None else f"it is {reason}"
        marked = " (or `Inject` with a bound key)" if keys.is_scalar(key) else ""
        fix = f"bind it in a Module{marked}, or give the parameter a default"
        what = "builtin asked for: nothing is bound to it" if keys.is_scalar(key) else f"nothing is bound to it, and {why}"
        node.faults.append(Fault(node.name, what, fix))
        return node

    # ---- how it is made

    def _make(self, node: Node, recipe: Recipe) -> Make:
        try:
            return self._make_of(node, recipe)
        except UnreadableError as error:
            node.faults.append(error.fault)
            return Broken()

    def _make_of(self, node: Node, recipe: Recipe) -> Make:
        match recipe:
            case bindings.Instance(value):
                return Constant(value)
            case bindings.OfClass(cls):
                return self._construction(node, cls)
            case bindings.OfCallable(call):
                return Call(call, self._arguments(node, call), mode_of(call, node.key))
            case bindings.OfPair(key, value):
                return Pair(key, self._anonymous(node, value))
            case bindings.OfElements(elements, is_map):
                return Collect(tuple(self.graph.element(node.owner, element) for element in elements), is_map)
            case bindings.OfParts(cls, parts):
                return Call(cls, tuple(Argument(name, True, self._anonymous(node, part)) for name, part in parts))
            case bindings.Opaque(provider):
                return Ask(provider)

    def _anonymous(self, node: Node, recipe: Recipe) -> Node:
        part = Node(self.graph, node.owner, node.key, node.name)
        part.make = self._make(part, recipe)
        return part

    def _construction(self, node: Node, cls: type) -> Make:
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            node.faults.append(
                Fault(node.name, f"{name_of(cls)} is abstract ({missing})", "bind it to a class that implements these")
            )
            return Broken()
        if getattr(cls, "_is_protocol", False):
            node.faults.append(Fault(node.name, f"{name_of(cls)} is a Protocol", "bind it to a class that implements it"))
            return Broken()
        return Call(constructor_of(cls), self._arguments(node, cls))

    # ---- what it needs

    def _arguments(self, node: Node, call: Callable[..., Any], *, given_by_caller: bool = False) -> tuple[Argument, ...]:
        found: list[Argument] = []
        skipped = False
        for parameter in parameters_of(call):
            source = self._source(node, call, parameter, given_by_caller=given_by_caller)
            if source is None:
                skipped = True
            else:
                found.append(Argument(parameter.name, parameter.by_keyword or skipped, source))
        return tuple(found)

    def _source(self, node: Node, call: Any, parameter: Parameter, *, given_by_caller: bool) -> Any:
        if parameter.is_input:
            return self.graph.input_of(call, parameter.name, parameter.annotation, parameter.default)
        key = parameter.key
        if key is None:
            if not parameter.has_default and not given_by_caller:
                node.faults.append(_unfillable(node, parameter))
            return None
        if not keys.is_key(key):
            node.faults.append(_unfillable(node, parameter))
            return None
        if parameter.has_default and not self._is_wanted(node.owner, parameter):
            node.absent.add(key)
            return None
        source = self.graph.node(node.owner, key)
        if given_by_caller:
            return None if found_in(source) else source  # what cannot be made is for the caller to give
        node.kind = node.kind or parameter.kind
        return source

    def _is_wanted(self, owner: Injector, parameter: Parameter) -> bool:
        """Whether a parameter that has a default is injected all the same."""
        key = parameter.key
        if key in self.graph.specials or self.graph.bound(owner, key) is not None:
            return True
        return not parameter.optional and self.graph.can_make(owner, key)

    # ---- lazy keys

    def _lazy(self, inner: Injector, key: Key) -> Node:
        (target,) = typing.get_args(key)
        kind: Any = typing.get_origin(key)
        node = self._kept(inner, key, Node(self.graph, inner, key, name_of(key)))
        if kind is injector.ProviderOf:
            node.make = Later(self.graph.node(inner, target))
            return node
        cls = target if kind is injector.ClassAssistedBuilder else self._class_to_build(inner, target)
        if cls is None:
            node.faults.append(
                Fault(node.name, f"{name_of(target)} is not bound to a class", f"bind {name_of(target)} to a class, or inject it")
            )
            return node
        try:
            node.make = Builder(kind, target, cls, self._arguments(node, cls, given_by_caller=True))
        except UnreadableError as error:
            node.faults.append(error.fault)
        return node

    def _class_to_build(self, inner: Injector, target: Key) -> type | None:
        bound = self.graph.bound(inner, target)
        if bound is None:
            return keys.bare(target) if self.graph.can_make(inner, target) and not keys.is_lazy(target) else None
        return bound.recipe.cls if isinstance(bound.recipe, bindings.OfClass) else None


def _too_deep(node: Node) -> Node:
    what = f"things are needed too deep below each other: over {MAX_DEPTH} levels, or over what Python's stack has left"
    node.faults.append(Fault(node.name, what, "let something on the way ask for what it uses itself, or for a ProviderOf"))
    return node


def _unfillable(node: Node, parameter: Parameter) -> Fault:
    return Fault(
        node.name,
        f"nothing can be injected into its parameter {parameter.name!r}",
        "annotate it with a type that the container knows, give it a default, or bind a provider that passes it",
    )
