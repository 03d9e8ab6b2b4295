"""The first use of a singleton: inside injector's own store, so that its lock makes it single-flight and both sides share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import injector

from wscontrollers.container import bindings
from wscontrollers.container.appscope import AppScope
from wscontrollers.container.faults import AsyncFault
from wscontrollers.container.nodes import Call, Mode, Node
from wscontrollers.container.scopes import MISSING
from wscontrollers.container.waiting import build_awaits
from wscontrollers.exceptions import AsyncBindingError, ContainerClosedError


class Compiled(injector.Provider[Any]):
    """What `SingletonScope` is given to make a singleton with.

    It makes the thing for the injector that the graph chose. The scope tries parents first, and takes
    `UnsatisfiedRequirement` for "not here".
    """

    def __init__(self, node: Node, build: Callable[[Any], Any]) -> None:
        self.node = node
        self.build = build

    def get(self, injector: injector.Injector) -> Any:
        """Make the thing."""
        if injector is not self.node.owner:
            raise _unsatisfied(self.node)
        return self.build(self.node.graph.app)


def _unsatisfied(node: Node) -> injector.UnsatisfiedRequirement:
    return injector.UnsatisfiedRequirement(None, node.key)


def first_singleton(node: Node, build_of: Callable[[Node], Callable[[Any], Any]]) -> Callable[[], Any]:
    """A function that makes a singleton, or takes the one that injector has made meanwhile, and keeps it."""
    app, slot = node.graph.app, node.slot
    enters = isinstance(node.make, Call) and node.make.mode is not Mode.VALUE
    if build_awaits(node):

        def refuse() -> Any:
            raise not_open(node)

        return refuse

    def first() -> Any:
        if node.singletons is not None:
            if enters:
                bindings.discard_raw(node.singletons, node.key)
            provider = node.singletons.get(node.key, Compiled(node, build_of(node)))
            value = app.values[slot] = provider.get(node.owner)
            return value
        with app.lock:
            value = app.values.get(slot, MISSING)
            if value is MISSING:
                value = app.values[slot] = build_of(node)(app)
            return value

    return first


def not_open(node: Node) -> Exception:
    """The error for an app-tier resource that is asked for before it is open, or after its end."""
    app: AppScope = node.graph.app
    if app.ended:
        return ContainerClosedError(
            f"{node.name} was asked for after the container had been closed. "
            "Fix: ask for it while the lifespan runs, or `await container.open()` again."
        )
    return AsyncBindingError(
        AsyncFault(
            node.name,
            "it must be awaited and is not open yet, and it was asked for synchronously",
            "use `await container.aget(...)`, or run the container's lifespan (`await container.open()`) before",
        )
    )
