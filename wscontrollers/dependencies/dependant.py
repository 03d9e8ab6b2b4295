"""A callable with everything that its parameters need: the declared form of a dependency, an endpoint or a constructor."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from ..callables import AnyCallable, Kind
from ..container import Input, Service
from ..markers import ConcurrencyLimit, Dependency, DependencyScope
from ..records import Record
from .fields import ParamField
from .sources import Framework


class Argument(Record):
    """A parameter of a callable and who fills it."""

    name: str
    source: "ParamField | Dependant | Framework | ServiceNeed"


class ServiceNeed(Record):
    """A thing of the container, and what the handshake has to supply before it can be made."""

    key: Any
    service: Service
    inputs: list[tuple[Input, Argument]]


class Dependant:
    """A callable and who fills its parameters.

    Attributes:
        call: What is called.
        path: The whole path of the route.
        name: The parameter that receives its value; None where nobody does.
        arguments: What is passed, in the order of the signature.
        guards: Dependencies that run before all others and whose values nobody receives.
        constructor: What makes the first argument of a method; it runs behind the guards.
        kind: How the value of the call is had.
        own_scopes: Security scopes that are asked for here.
        parent_scopes: Those asked for above.
        inline: Whether the call runs in the event loop even if it is a plain function: constructors of controllers do.
        handlers: What is called for each message, on the same instance.
        message_types: Of a handler, the classes that its message may have.
    """

    # Written out: as a data class it would take a tenth of the time that importing this package takes.
    def __init__(
        self,
        call: AnyCallable,
        path: str,
        *,
        name: str | None = None,
        kind: Kind = Kind.CALL,
        use_cache: bool = True,
        scope: DependencyScope | None = None,
        own_scopes: tuple[str, ...] = (),
        parent_scopes: tuple[str, ...] = (),
        limit: ConcurrencyLimit | None = None,
        thread: bool | None = None,
        inline: bool = False,
        message_types: tuple[type, ...] = (),
    ) -> None:
        self.call = call
        self.path = path
        self.name = name
        self.kind = kind
        self.use_cache = use_cache
        self.scope: DependencyScope | None = scope
        self.own_scopes = own_scopes
        self.parent_scopes = parent_scopes
        self.limit = limit
        self.thread = thread
        self.inline = inline
        self.message_types = message_types
        self.uses_scopes = False
        self.arguments: list[Argument] = []
        self.guards: list[Dependant] = []
        self.constructor: Dependant | None = None
        self.handlers: list[Dependant] = []

    def with_options(self, **options: Any) -> "Dependant":
        """A copy with other values of some attributes."""
        made = copy(self)
        vars(made).update(options)
        return made

    @property
    def dependencies(self) -> "list[Dependant]":
        """The dependencies, in the order in which they are solved."""
        made = [] if self.constructor is None else [self.constructor]
        taken = [argument.source for argument in self.arguments if isinstance(argument.source, Dependant)]
        return [*self.guards, *made, *taken]

    @property
    def fields(self) -> list[ParamField]:
        """The parameters of the handshake, in the order in which their errors are told: path, query, header, cookie."""
        fields = [argument.source for argument in self.arguments if isinstance(argument.source, ParamField)]
        return sorted(fields, key=lambda item: _PLACES[item.place.value])

    @property
    def security_scopes(self) -> list[str]:
        """The scopes of every `Security` on the way here, outermost first, without repeats."""
        return list(dict.fromkeys((*self.parent_scopes, *self.own_scopes)))

    @property
    def computed_scope(self) -> DependencyScope | None:
        """When the clean-up runs: what was asked for, and "request" for other generators."""
        return self.scope or ("request" if self.kind.is_generator else None)


_PLACES = {"path": 0, "query": 1, "header": 2, "cookie": 3, "message": 4}


class Owner(Record):
    """The class that an endpoint is a method of: it is constructed for each session and passed as the first argument."""

    constructed: type


class Receiver(Record):
    """A method that is called for each message of certain types.

    Attributes:
        call: The method.
        parameter: Its parameter that takes the message.
        types: The classes of the messages.
        dependencies: Dependencies without a parameter, which run first, for each message.
    """

    call: AnyCallable
    parameter: str
    types: tuple[type, ...]
    dependencies: Sequence[Dependency] = ()
