"""Nodes to plain functions `factory(scope)`: generated once, without a look-up in injector, a lock or a context variable.

A node becomes one small function around a call, for example

    def factory(scope):
        values = scope.session_values
        value = values.get(n0, n1)
        if value is n1:
            scope = scope.session
            value = values[n0] = n2(n3(scope), n4(scope))
        return value

where the names stand for objects: the slot, the mark for "not made yet", the class and the factories of what it needs. An async
generator is entered there, too, without a coroutine around it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from wscontrollers.container import cleanup
from wscontrollers.container.exits import ENTERED, Ending
from wscontrollers.container.faults import error_of
from wscontrollers.container.nodes import Argument, Ask, Builder, Call, Collect, Constant, Later, Mode, Node, Pair
from wscontrollers.container.scopes import MISSING, Scope, Tier
from wscontrollers.container.singletons import first_singleton
from wscontrollers.container.waiting import awaits, build_awaits
from wscontrollers.exceptions import Fault
from wscontrollers.generated import Generated

Factory: TypeAlias = Callable[[Any], Any]

_ENTER: dict[Mode, tuple[str, Callable[..., Any], Callable[[str], Ending]]] = {
    Mode.GENERATOR: ("{enter}(scope, {call}, {ending})", cleanup.enter_generator, cleanup.GeneratorEnding),
    Mode.ENTER: ("{enter}(scope, {call}, {ending})", cleanup.enter, cleanup.ManagerEnding),
    Mode.ASYNC_ENTER: ("await {enter}(scope, {call}, {ending})", cleanup.enter_async, cleanup.AsyncManagerEnding),
    Mode.AWAIT_ENTER: ("{enter}(scope, await {call}, {ending})", cleanup.enter, cleanup.ManagerEnding),
    Mode.AWAIT_ASYNC_ENTER: ("await {enter}(scope, await {call}, {ending})", cleanup.enter_async, cleanup.AsyncManagerEnding),
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
        before, made = source.made(node)
        head = f"{'async ' if build_awaits(node) else ''}def factory(scope):"
        if not before and made.startswith("await ") and made.count("await ") == 1:  # whoever awaits ours may as well await that
            head, made = "def factory(scope):", made.removeprefix("await ")
        node.builder = source.function("\n    ".join([head, *before, f"return {made}"]) + "\n")
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
    if is_session and build_awaits(node):  # messages that are handled at the same time may ask for it
        return source.function(
            "async def factory(scope):\n"
            f"    value = {values}.get({slot}, {missing})\n"
            f"    return await scope.session.once({slot}, {source.name(build_of(node))}) if value is {missing} else value\n"
        )
    before, made = source.made(node)
    make = ["scope = scope.session"] * is_session + [*before, f"value = values[{slot}] = {made}"]
    lines = [
        f"{'async ' if build_awaits(node) else ''}def factory(scope):",
        f"values = {values}",
        f"value = values.get({slot}, {missing})",
        f"if value is {missing}:",
        *(f"    {line}" for line in make),
        "return value",
    ]
    return source.function("\n    ".join(lines) + "\n")


class _Source(Generated):
    """The text of one factory."""

    __slots__ = ()

    def made(self, node: Node) -> tuple[list[str], str]:
        """The lines that come before, and the expression for a node's thing."""
        if isinstance(node.make, Call) and node.make.mode is Mode.ASYNC_GENERATOR:
            ending = self.name(cleanup.AsyncGeneratorEnding(node.name))
            lines = ENTERED.format(call=self.called(node.make), value="value", ending=ending, exits="scope.stack")
            return lines.splitlines(), "value"
        return [], self.expression(node)

    def called(self, make: Call) -> str:
        """The expression of a call."""
        return f"{self.name(make.call)}({self.passed(make.arguments)})"

    def expression(self, node: Node) -> str:
        """The expression that makes a node's thing."""
        match node.make:
            case Constant(value):
                return self.name(value)
            case Call() as make:
                called = self.called(make)
                if make.mode in (Mode.VALUE, Mode.AWAIT):
                    return f"await {called}" if make.mode is Mode.AWAIT else called
                text, enter, ending = _ENTER[make.mode]
                return text.format(call=called, enter=self.name(enter), ending=self.name(ending(node.name)))
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
