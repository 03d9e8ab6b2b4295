"""`Container.override`: another thing for a key, for as long as a `with` block runs."""

from __future__ import annotations

import inspect
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import injector

from wscontrollers.callables import name_of
from wscontrollers.container import bindings
from wscontrollers.container.keys import Key
from wscontrollers.exceptions import Fault, OverrideError

if TYPE_CHECKING:
    from wscontrollers.container.container import Container
    from wscontrollers.container.graph import Graph


def recipe_for(replacement: Any) -> bindings.Recipe:
    """How a replacement is had: a class is constructed, a function called, a provider asked; anything else is the thing."""
    if isinstance(replacement, injector.Provider):
        return bindings.recipe_of(cast(Any, replacement))
    if inspect.isclass(replacement):
        return bindings.OfClass(replacement)
    if inspect.isroutine(replacement):
        return bindings.OfCallable(replacement)
    return bindings.Instance(replacement)


def refuse_unknown(key: Key, graph: Graph) -> None:
    """Check that something uses a key.

    Raises:
        OverrideError: nothing does; it lists the nearest names.
    """
    known = graph.known_keys()
    if key in known:
        return
    import difflib  # for this error alone

    names = {_short(each): name_of(each) for each in sorted(known, key=name_of)}
    near = difflib.get_close_matches(_short(key), names, n=3, cutoff=0.5)
    fix = (
        f"did you mean {' or '.join(names[name] for name in near)}"
        if near
        else "bind it, or name the class by which others ask for it"
    )
    raise OverrideError(Fault(f"override of {name_of(key)}", "nothing binds it or needs it", fix))


def _short(key: Key) -> str:
    """The name without the function or class around it."""
    return name_of(key).rpartition(".")[2]


class Override:
    """An override that can be entered, with `with` or `async with`; exactly one of a container's layers of graphs.

    `with` closes what needs no await at once, and leaves the rest to `Container.close`; `async with` closes all.
    """

    def __init__(self, container: Container, key: Key, replacement: Any) -> None:
        self.container = container
        self.key = key
        self.recipe = recipe_for(replacement)
        self.graphs: list[Graph] = []

    def __enter__(self) -> None:
        self.container.layers.push(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.container.layers.remove(self)
        graphs, self.graphs = self.graphs, []
        failure: BaseException | None = None
        for graph in reversed(graphs):
            try:
                graph.app.close_sync()
            except BaseException as raised:  # Ctrl-C in a clean-up: the rest is closed before it goes on
                failure = failure or raised
            graph.app.ended = True
            if graph.app.has_stack:
                self.container.layers.left_over.append(graph.app)
        if failure is not None:
            raise failure

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.container.layers.remove(self)
        graphs, self.graphs = self.graphs, []
        for graph in reversed(graphs):
            graph.app.ended = True
            await graph.app.close(error)


class Layers:
    """The overrides of one container that are in force, innermost last, and the graph that they make together."""

    def __init__(self, container: Container, base: Graph) -> None:
        self.container = container
        self.base = base
        self.left_over: list[Any] = []
        self._entered: list[Override] = []

    def push(self, override: Override) -> None:
        """Put an override in force."""
        self._entered.append(override)
        self._stack(override, self.container.graph)

    def remove(self, override: Override) -> None:
        """Take an override out of force; those that were entered after it stay, on new graphs."""
        place = self._entered.index(override)
        above = self._entered[place + 1 :]
        del self._entered[place:]
        self.container.graph = self._entered[-1].graphs[-1] if self._entered else self.base
        for other in above:
            self._entered.append(other)
            self._stack(other, self.container.graph)

    def _stack(self, override: Override, below: Graph) -> None:
        graph = type(self.base)(self.container, below=below, replaced={override.key: override.recipe})
        override.graphs.append(graph)
        self.container.graph = graph

    def live(self) -> list[Graph]:
        """Every graph in use, topmost first."""
        return [graph for override in reversed(self._entered) for graph in reversed(override.graphs)] + [self.base]
