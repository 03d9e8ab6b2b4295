"""Nodes to plain functions `factory(scope)`: generated once, without a look-up in injector, a lock or a context variable.

A node becomes one small function whose source is a single call, for example

    def factory(scope):
        values = scope.session_values
        value = values.get(n0, n1)
        if value is n1:
            scope = scope.session
            value = values[n0] = n2(n3(scope), n4(scope))
        return value

where the names stand for objects: the slot, the mark for "not made yet", the class and the factories of what it needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from wscontrollers.container import cleanup
from wscontrollers.container.faults import error_of
from wscontrollers.container.nodes import Argument, Ask, Builder, Call, Collect, Constant, Later, Mode, Node, Pair
from wscontrollers.container.scopes import MISSING, Scope, Tier
from wscontrollers.container.singletons import first_singleton
from wscontrollers.container.waiting import awaits, build_awaits
from wscontrollers.exceptions import Fault
from wscontrollers.generated import Generated

Factory: TypeAlias = Callable[[Any], Any]

_ENTER: dict[Mode, tuple[str, Callable[..., Any] | None]] = {
    Mode.VALUE: ("{call}", None),
    Mode.AWAIT: ("await {call}", None),
    Mode.GENERATOR: ("{enter}(scope, {call}, {name})", cleanup.enter_generator),
    Mode.ASYNC_GENERATOR: ("await {enter}(scope, {call}, {name})", cleanup.enter_async_generator),
    Mode.ENTER: ("{enter}(scope, {call}, {name})", cleanup.enter),
    Mode.ASYNC_ENTER: ("await {enter}(scope, {call}, {name})", cleanup.enter_async),
    Mode.AWAIT_ENTER: ("{enter}(scope, await {call}, {name})", cleanup.enter),
    Mode.AWAIT_ASYNC_ENTER: ("await {enter}(scope, await {call}, {name})", cleanup.enter_async),
}


def refusing(faults: Sequence[Fault]) -> Factory:
    """A factory that raises the faults."""

    def factory(_: Scope) -> NoReturn:
        raise error_of(faults)

    return factory


def factory_of(node: Node) -> Factory:
    """The factory that gives a node's thing: from the values of its tier, or made. It is async if `awaits(node)`."""
    if node.factory is None:
        if node.lifetime is None or isinstance(node.make, Constant):
            node.factory = build_of(node)
        elif node.lifetime is Tier.APP:
            node.factory = _from_app(node)
        else:
            node.factory = _from_scope(node)
    return node.factory


def build_of(node: Node) -> Factory:
    """The factory that makes a node's thing anew. What it returns is awaited if `build_awaits(node)`."""
    if node.builder is None:
        source = _Source(node.name)
        made = source.made(node)
        prefix = "async " if build_awaits(node) else ""
        if made.startswith("await ") and made.count("await ") == 1:  # whoever awaits ours may as well await that
            prefix, made = "", made.removeprefix("await ")
        node.builder = source.function(f"{prefix}def factory(scope):\n    return {made}\n")
    return node.builder


def _from_app(node: Node) -> Factory:
    source = _Source(node.name)
    values, slot, missing = source.name(node.graph.app.values), source.name(node.slot), source.name(MISSING)
    first = source.name(first_singleton(node, build_of))
    return source.function(
        "def factory(scope):\n"
        f"    value = {values}.get({slot}, {missing})\n"
        f"    return {first}() if value is {missing} else value\n"
    )


def _from_scope(node: Node) -> Factory:
    source = _Source(node.name)
    slot, missing = source.name(node.slot), source.name(MISSING)
    is_session = node.lifetime is Tier.SESSION
    values = "scope.session_values" if is_session else "scope.values"
    own_scope = "scope = scope.session" if is_session else "pass"
    if build_awaits(node):
        owner = "scope.session" if is_session else "scope"
        return source.function(
            "async def factory(scope):\n"
            f"    value = {values}.get({slot}, {missing})\n"
            f"    return await {owner}.once({slot}, {source.name(build_of(node))}) if value is {missing} else value\n"
        )
    return source.function(
        "def factory(scope):\n"
        f"    values = {values}\n"
        f"    value = values.get({slot}, {missing})\n"
        f"    if value is {missing}:\n"
        f"        {own_scope}\n"
        f"        value = values[{slot}] = {source.made(node)}\n"
        "    return value\n"
    )


class _Source(Generated):
    """The text of one factory."""

    __slots__ = ()

    def made(self, node: Node) -> str:
        """The expression that makes a node's thing."""
        match node.make:
            case Constant(value):
                return self.name(value)
            case Call(call, arguments, mode):
                text, enter = _ENTER[mode]
                called = f"{self.name(call)}({self.passed(arguments)})"
                return text.format(call=called, enter=self.name(enter), name=self.name(node.name))
            case Pair(key, value):
                return f"{{{self.name(key)}: {self.used(value)}}}"
            case Collect(elements, is_map):
                collect = self.name(_merged if is_map else _listed)
                return f"{collect}(({''.join(f'{self.used(element)}, ' for element in elements)}))"
            case Later():
                from wscontrollers.container.lazy import provider_of  # here and below, because most containers have none

                return f"{self.name(provider_of(node, factory_of))}(scope)"
            case Builder(_, _, _, arguments):
                from wscontrollers.container.lazy import builder_of

                named = {argument.name: self.supplier(argument) for argument in arguments}
                return f"{self.name(builder_of(node, named))}(scope)"
            case Ask():
                return f"{self.name(_asking(node))}()"
            case _:
                raise AssertionError(f"{node.name} has faults and cannot be compiled")

    def passed(self, arguments: Sequence[Argument]) -> str:
        """The arguments of a call."""
        return ", ".join(
            f"{argument.name}={self.argument(argument)}" if argument.by_keyword else self.argument(argument)
            for argument in arguments
        )

    def argument(self, argument: Argument) -> str:
        """The expression for one argument."""
        if isinstance(argument.source, Node):
            return self.used(argument.source)
        return f"scope.inputs[{self.name(argument.source)}]"

    def supplier(self, argument: Argument) -> Callable[[Scope], Any]:
        """A function that supplies an argument later: what lies behind it may need, lazily, the builder that asks."""
        source = argument.source
        if isinstance(source, Node):
            return lambda scope: factory_of(source)(scope)
        return lambda scope: scope.inputs[source]

    def used(self, node: Node) -> str:
        """The expression that has a node's thing where another needs it."""
        if isinstance(node.make, Constant):
            return self.name(node.make.value)
        if node.lifetime is Tier.APP:
            values, slot, missing = self.name(node.graph.app.values), self.name(node.slot), self.name(MISSING)
            made = f"{self.name(factory_of(node))}(scope)"
            value = f"v{values}{slot}"
            return f"({value} if ({value} := {values}.get({slot}, {missing})) is not {missing} else {made})"
        return f"{'await ' if awaits(node) else ''}{self.name(factory_of(node))}(scope)"


def _listed(elements: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for element in elements:
        if isinstance(element, list):
            found.extend(element)  # pyright: ignore[reportUnknownArgumentType]
        else:
            found.append(element)
    return found


def _merged(elements: Sequence[dict[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for element in elements:
        found.update(element)
    return found


_counting = threading.Lock()


def _asking(node: Node) -> Callable[[], Any]:
    container, owner, key = node.graph.container, node.owner, node.key
    assert isinstance(node.make, Ask)
    provider = node.make.provider

    def ask() -> Any:
        with _counting:
            container.asked += 1
        return owner.get(key) if provider is None else provider.get(owner)

    return ask
