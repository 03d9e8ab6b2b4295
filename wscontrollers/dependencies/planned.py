"""A callable with the plan that holds at the moment: of its container's bindings and its app's overrides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from ..callables import AnyCallable
from ..container import Container, Graph
from ..messages.limits import DEFAULT_FIRST_MESSAGE_LIMITS, FirstMessageLimits
from .dependant import Dependant
from .plan import Plan
from .planning import make_plan

_REMEMBERED = 16
"""How many plans for overrides are kept: tests set one after the other, and none forever."""


class Planned:
    """Plans of one endpoint. The plain one is made at registration, one for overrides when it is first needed.

    Args:
        declare: Reads the endpoint's signature as the bindings of a graph want it.
        container: What supplies services.
        provider: Who has the overrides; None for nobody.
        threads: Whether plain functions run in worker threads.
        first_message: What a first message may be.

    Raises:
        DeclarationError: Some parameter can never be filled; all mistakes at once.
    """

    __slots__ = ("_declare", "_first_message", "_graph", "_plan", "_special", "_threads", "container", "dependant", "provider")

    def __init__(
        self,
        declare: Callable[[Graph], Dependant],
        *,
        container: Container,
        provider: object = None,
        threads: bool = True,
        first_message: FirstMessageLimits = DEFAULT_FIRST_MESSAGE_LIMITS,
    ) -> None:
        self._declare = declare
        self._threads = threads
        self._first_message = first_message
        self.container = container
        self.provider = provider
        self._graph = container.graph
        self._special: OrderedDict[tuple[int, ...], tuple[object, Plan]] = OrderedDict()
        self.dependant = declare(self._graph)
        self._plan = self._planned(self.dependant, self._graph)

    @property
    def plan(self) -> Plan:
        """The plan without overrides."""
        return self._plan

    def current(self) -> tuple[Graph, Plan]:
        """The bindings and the plan that a session that starts now has to its end."""
        graph = self.container.graph
        overrides: Mapping[AnyCallable, AnyCallable] | None = getattr(self.provider, "dependency_overrides", None)
        if graph is self._graph and not overrides:
            return graph, self._plan
        return graph, self._special_plan(graph, overrides or {})

    def _special_plan(self, graph: Graph, overrides: Mapping[AnyCallable, AnyCallable]) -> Plan:
        pairs = tuple(overrides.items())
        key = (id(graph), *(id(call) for pair in pairs for call in pair))
        found = self._special.get(key)
        if found is None:
            dependant = self.dependant if graph is self._graph else self._declare(graph)
            plan = self._planned(dependant, graph, overrides)
            # What the key was made of is kept with it, so that no id can come to mean something else.
            found = self._special[key] = ((graph, pairs), plan)
            while len(self._special) > _REMEMBERED:
                self._special.popitem(last=False)
        return found[1]

    def _planned(self, dependant: Dependant, graph: Graph, overrides: Mapping[AnyCallable, AnyCallable] | None = None) -> Plan:
        return make_plan(dependant, supplier=graph, overrides=overrides, threads=self._threads, first_message=self._first_message)
