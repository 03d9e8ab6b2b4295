"""A snapshot of compiled bindings: keys to services."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import injector
from injector import Injector

from wscontrollers.callables import name_of
from wscontrollers.container import analysis, bindings, keys
from wscontrollers.container.appscope import AppScope
from wscontrollers.container.bindings import Bound
from wscontrollers.container.factories import factory_of, refusing
from wscontrollers.container.faults import draw, found_in
from wscontrollers.container.inputs import Input
from wscontrollers.container.keys import Key
from wscontrollers.container.lifecycle import drop, open_node, to_open
from wscontrollers.container.nodes import Node
from wscontrollers.container.reading import Reader
from wscontrollers.container.scopes import Scope, Tier
from wscontrollers.container.service import Service
from wscontrollers.exceptions import Fault
from wscontrollers.logs import logger_of

if TYPE_CHECKING:
    from wscontrollers.container.container import Container


logger = logger_of("wscontrollers.container")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio
        return None


def no_service(key: object, path: tuple[str, ...]) -> Service:
    """The answer for what cannot be a key at all: a fault."""
    where = " -> ".join((*path, repr(key)))
    faults = (Fault(where, "it cannot be a key", "ask for a class, a NewType or an `Annotated` with hashable metadata"),)
    return Service(
        key,
        Tier.APP,
        awaits=False,
        factory=refusing(faults),
        inputs=(),
        session_inputs=frozenset(),
        faults=faults,
        cleans_up=False,
    )


class Graph:
    """Compiled bindings of a container at one moment; an override makes a new one on top and leaves this one as it is.

    Args:
        container: Whose graph it is.
        below: The graph that this one overrides; None for the base.
        replaced: What stands for the recipe of a key, in the scope of its binding.
    """

    def __init__(
        self, container: Container, *, below: Graph | None = None, replaced: Mapping[Key, bindings.Recipe] | None = None
    ) -> None:
        self.container = container
        self.below = below
        self.replaced: Mapping[Key, bindings.Recipe] = replaced or {}
        self.app = AppScope()
        self.specials: Mapping[Key, Any] = {cls: container for cls in type(container).__mro__ if cls is not object}
        self.inputs: dict[tuple[Any, str], Input] = below.inputs if below else {}
        self._services: dict[tuple[Key, tuple[str, ...]], Service] = {}
        self._asked_for: dict[Key, tuple[str, ...]] = dict(below._asked_for) if below else {}
        self._nodes: dict[tuple[int, Key], Node] = {}
        self._reader = Reader(self)
        self._settled = False
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None

    # ---- questions

    def service(self, key: Key, path: tuple[str, ...] = ()) -> Service:
        """The compiled key; faults of bindings are in `Service.faults`, with `path` and what follows drawn.

        Args:
            key: What is asked for.
            path: Names of those who ask, outermost first, for the faults.
        """
        known = self._services.get((key, path)) if keys.is_key(key) else no_service(key, path)
        if known is None:
            known = self._services[key, path] = self._compiled(key, path)
        return known

    def is_bound(self, key: Key) -> bool:
        """Whether the key is bound explicitly, in the injector, a parent of it or an override."""
        return self.bound(self.container.injector, key) is not None or (keys.is_key(key) and key in self.specials)

    def supplies(self, key: Key) -> bool:
        """Whether a parameter that says no more than this type comes from the container.

        True for what is bound explicitly, unless it is a bare builtin or scalar (that needs `Inject`), and for
        constructible classes of the user's own.
        """
        if keys.is_session_type(key) or not keys.is_key(key):
            return False
        if self.is_bound(key):
            return not keys.is_builtin(key)
        return self.can_make(self.container.injector, key)

    def session(self) -> Scope:
        """A new scope for a session."""
        return Scope()

    # ---- for the reader and the analysis

    def bound(self, inner: Injector, key: Key) -> Bound | None:
        """The nearest explicit binding, overrides first."""
        found = bindings.explicit(inner, key)
        if found is None and self.container.binds_supplied(key):
            found = bindings.explicit(inner, key)
        recipe = self.replacement(key)
        if recipe is None:
            return found
        if found is None:
            found = self._implicit(inner, key)
        return bindings.replaced(found, recipe)

    def _implicit(self, inner: Injector, key: Key) -> Bound:
        if keys.is_constructible(key):
            return bindings.implicit(inner, key)
        return Bound(key, bindings.Instance(None), inner, None, inner.binder, custom=False, name=name_of(key))

    def replacement(self, key: Key) -> bindings.Recipe | None:
        """What an override of this graph, or of one below, puts in the place of the key's binding."""
        if not keys.is_key(key):
            return None
        graph = self
        while graph.below is not None:
            if key in graph.replaced:
                return graph.replaced[key]
            graph = graph.below
        return None

    def can_make(self, inner: Injector, key: Key) -> bool:
        """Whether the injector gives something for a key that nobody bound."""
        if keys.is_lazy(key) or isinstance(key, injector.BoundKey):
            return True
        return bindings.auto_binds(inner) and keys.is_constructible(key)

    def node(self, inner: Injector, key: Key) -> Node:
        """The node of a key, seen from an injector; below an override, the one of the graph below unless it is affected."""
        known = self._nodes.get((id(inner), key))
        if known is not None:
            return known
        if self.below is not None:
            below = self.below.node(inner, key)
            if not analysis.touches(below, self.replaced.keys()):
                self._nodes[id(inner), key] = below
                return below
        return self._reader.read(inner, key)

    def element(self, inner: Injector, bound: Bound) -> Node:
        """The node of one element of a multibinding, whose key is known to nobody but its multibinder."""
        known = self._nodes.get((id(inner), bound.key))
        if known is not None:
            return known
        if self.below is not None:
            below = self.below.element(inner, bound)
            if not analysis.touches(below, self.replaced.keys()):
                self._nodes[id(inner), bound.key] = below
                return below
        return self._reader.read_element(inner, bound)

    def remember(self, inner: Injector, key: Key, node: Node) -> None:
        """Keep a node before what it needs is read: a cycle then ends at it."""
        self._nodes[id(inner), key] = node

    def input_of(self, owner: Any, name: str, annotation: Any, default: Any) -> Input:
        """The one input for a parameter of a callable."""
        known = self.inputs.get((owner, name))
        if known is None:
            known = self.inputs[owner, name] = Input(name, annotation, default, owner)
        return known

    # ---- the whole

    def roots(self) -> Iterable[tuple[tuple[str, ...], Node]]:
        """Everything that somebody asked for (with the path), then everything that is bound."""
        for key, path in list(self._asked_for.items()):
            yield path, self.node(self.container.injector, key)
        for key in bindings.explicit_keys(self.container.injector):
            yield (), self.node(self.container.injector, key)

    def known_keys(self) -> set[Key]:
        """Every key that is bound, reachable from one that is, or was asked for."""
        known: set[Key] = {*self._asked_for, *self.replaced, *(self.below.known_keys() if self.below else ())}
        for node in analysis.reachable(node for _, node in self.roots()):
            known |= {node.key, *node.absent}
        return {key for key in known if not (inspect.isclass(key) and issubclass(key, injector.Provider))}

    @property
    def is_open(self) -> bool:
        """Whether everything that must be open is: then `ensure_open` has nothing to do, and need not be awaited."""
        return self._settled and (self._home is None or self._home() is _running_loop())

    async def ensure_open(self) -> None:
        """Open what lives as long as the app and must be awaited, as far as it is not open yet.

        Raises:
            ContainerClosedError: the container was closed, and there is something to open.
        """
        if self._settled and not self.is_open:
            self._leave_home()
        if not self._settled:
            await self._open(eager=False)
            loop = _running_loop() if self.app.has_stack else None
            self._home = None if loop is None else weakref.ref(loop)

    async def open(self) -> None:
        """Open what lives as long as the app and is awaited or entered, after an earlier end too."""
        graph: Graph | None = self
        while graph is not None:
            graph.app.ended = False
            graph = graph.below
        self._home = None
        await self._open(eager=True)

    def _leave_home(self) -> None:
        """Forget resources that were opened at first use in an event loop that has ended: it ended them with itself."""
        home = None if self._home is None else self._home()
        if home is not None and not home.is_closed():
            return  # it runs in another thread, and so do its resources
        logger.warning(
            "resources of the app were opened in an event loop that has ended without closing them; they are opened anew. "
            "Run the app's lifespan to have them closed: `with TestClient(app) as client`, or a server."
        )
        drop(node for _, node in self.roots())
        self.app.forget()
        self._home = None
        self._settled = False

    async def _open(self, *, eager: bool) -> None:
        for node in to_open((node for _, node in self.roots()), eager=eager):
            await open_node(node)
        self._settled = True

    def unsettle(self) -> None:
        """Something may have to be opened (again)."""
        self._settled = False

    def _compiled(self, key: Key, path: tuple[str, ...]) -> Service:
        self._settled = self._settled and key in self._asked_for
        self._asked_for.setdefault(key, path)
        node = self.node(self.container.injector, key)
        faults = tuple(draw(found, path) for found in found_in(node))
        return Service(
            key=key,
            tier=analysis.tier_of(node),
            awaits=not faults and analysis.awaits(node),
            factory=refusing(faults) if faults else factory_of(node),
            inputs=analysis.inputs_of(node),
            session_inputs=analysis.session_inputs_of(node),
            faults=faults,
            cleans_up=analysis.cleans_up(node),
        )
