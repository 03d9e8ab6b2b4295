"""The graph of what is bound, as plain data: nodes, how each is made, and what it needs."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import injector

from wscontrollers.container.bindings import AnyProvider
from wscontrollers.container.inputs import Input
from wscontrollers.container.keys import Key
from wscontrollers.container.scopes import Tier
from wscontrollers.exceptions import Fault
from wscontrollers.records import Record

if TYPE_CHECKING:
    from wscontrollers.container.graph import Graph


class Mode(Enum):
    """What has to be done with what a callable returns."""

    VALUE = "the value itself"
    AWAIT = "awaited"
    GENERATOR = "a generator that yields the value and cleans up"
    ASYNC_GENERATOR = "an async generator that yields the value and cleans up"
    ENTER = "a context manager to be entered"
    ASYNC_ENTER = "an async context manager to be entered"
    AWAIT_ENTER = "awaited, then entered"
    AWAIT_ASYNC_ENTER = "awaited, then entered asynchronously"

    @property
    def awaits(self) -> bool:
        """Whether having the value takes an await."""
        return self not in (Mode.VALUE, Mode.GENERATOR, Mode.ENTER)

    @property
    def cleans_up(self) -> bool:
        """Whether something is left to be done when the tier ends."""
        return self not in (Mode.VALUE, Mode.AWAIT)


class Argument(Record):
    """One argument of a call: a node's thing, or an input."""

    name: str
    by_keyword: bool
    source: "Node | Input"


class Constant(Record):
    """Always this object."""

    value: Any


class Call(Record):
    """A callable with arguments."""

    call: Callable[..., Any]
    arguments: tuple[Argument, ...]
    mode: Mode = Mode.VALUE


class Pair(Record):
    """A dict of one element, for a map binding."""

    key: Any
    value: "Node"


class Collect(Record):
    """A fresh list or dict of elements."""

    elements: "tuple[Node, ...]"
    is_map: bool


class Later(Record):
    """A `ProviderOf`: its thing is made when it is asked for."""

    target: "Node"


class Builder(Record):
    """An `AssistedBuilder`: a class, and the arguments that need not be given by keyword."""

    kind: type[injector.AssistedBuilder[Any]]
    target: Any
    cls: type
    arguments: tuple[Argument, ...]


class Ask(Record):
    """injector is asked: for the whole key in its own scope, or for what an opaque provider gives."""

    provider: AnyProvider | None


class Broken:
    """It cannot be made; the node's faults say why."""

    __slots__ = ()


Make: TypeAlias = Constant | Call | Pair | Collect | Later | Builder | Ask | Broken


class Node:
    """One key as one injector gives it.

    Attributes:
        owner: The injector that makes it; what it needs is looked up from there.
        lifetime: The tier in whose scope it is kept; None for a new one each time.
        slot: Where in the values of its tier it is kept.
        singletons: injector's store for it, shared with everyone who uses that injector; None below an override.
        absent: Keys that nobody binds and whose parameters therefore keep their defaults.
        kind: Whether a parameter is filled that injector itself would not have filled.
        depth: How many nodes stand below each other in what it needs at once.
    """

    __slots__ = (
        *("absent", "builder", "depth", "factory", "faults", "graph", "key", "kind"),
        *("lifetime", "make", "name", "owner", "singletons", "slot"),
    )

    def __init__(
        self,
        graph: "Graph",
        owner: injector.Injector,
        key: Key,
        name: str,
        lifetime: Tier | None = None,
        make: Make | None = None,
    ) -> None:
        self.graph = graph
        self.owner = owner
        self.key = key
        self.name = name
        self.lifetime = lifetime
        self.make: Make = make or Broken()
        self.slot: Any = None
        self.singletons: injector.SingletonScope | None = None
        self.faults: list[Fault] = []
        self.absent: set[Key] = set()
        self.kind = False
        self.depth = 0
        self.factory: Callable[[Any], Any] | None = None
        self.builder: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        return f"<node {self.name}>"

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What it is called with."""
        return self.make.arguments if isinstance(self.make, Call | Builder) else ()

    @property
    def is_lazy(self) -> bool:
        """Whether what it needs is made later, by the one that it is injected into."""
        return isinstance(self.make, Later | Builder)

    @property
    def needs(self) -> "Iterator[Node]":
        """The nodes that it needs, in order; those of a lazy node are needed later."""
        match self.make:
            case Call() | Builder():
                yield from (argument.source for argument in self.make.arguments if isinstance(argument.source, Node))
            case Pair(_, value):
                yield value
            case Collect(elements, _):
                yield from elements
            case Later(target):
                yield target
            case _:
                pass

    @property
    def inputs(self) -> Iterator[Input]:
        """The inputs that it needs itself."""
        yield from (argument.source for argument in self.arguments if isinstance(argument.source, Input))
