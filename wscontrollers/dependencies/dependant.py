"""A callable with everything that its parameters need: the declared form of a dependency, an endpoint or a constructor."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..callables import AnyCallable, Kind, kind_of, name_of, place_of, signature_of, unwrapped
from ..container import Input, Service
from ..exceptions import DeclarationError, DependencyScopeError, Fault
from ..markers import ConcurrencyLimit, Dependency, DependencyScope, SecurityDependency
from ..security import SecurityBase
from .analysis import Framework, FromDefault, FromDependency, FromField, FromFramework, FromService, Supplier, Surroundings, analyse
from .fields import ParamField


@dataclass(slots=True, eq=False)
class Argument:
    """A parameter of a callable and who fills it."""

    name: str
    source: ParamField | Dependant | Framework | ServiceNeed


@dataclass(slots=True, eq=False)
class ServiceNeed:
    """A thing of the container, and what the handshake has to supply before it can be made."""

    key: Any
    service: Service
    inputs: list[tuple[Input, Argument]]


@dataclass(slots=True, eq=False)
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
    """

    call: AnyCallable
    path: str
    name: str | None = None
    arguments: list[Argument] = field(default_factory=list)
    guards: list[Dependant] = field(default_factory=list)
    constructor: Dependant | None = None
    kind: Kind = Kind.CALL
    use_cache: bool = True
    scope: DependencyScope | None = None
    own_scopes: tuple[str, ...] = ()
    parent_scopes: tuple[str, ...] = ()
    limit: ConcurrencyLimit | None = None
    thread: bool | None = None
    inline: bool = False
    uses_scopes: bool = False

    @property
    def dependencies(self) -> list[Dependant]:
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


@dataclass(frozen=True, slots=True)
class Owner:
    """The class that an endpoint is a method of: it is constructed for each session and passed as the first argument."""

    constructed: type
    type_arguments: Mapping[Any, Any] = field(default_factory=dict)


def get_dependant(
    *,
    path: str,
    call: AnyCallable,
    name: str | None = None,
    dependencies: Sequence[Dependency] = (),
    own_scopes: Sequence[str] = (),
    parent_scopes: Sequence[str] = (),
    use_cache: bool = True,
    scope: DependencyScope | None = None,
    supplier: Supplier | None = None,
    owner: Owner | None = None,
    whole_path: bool = True,
) -> Dependant:
    """Read a callable's signature, and those of all it depends on.

    Args:
        path: The whole path; the names in it are path parameters.
        call: A function, method, class, partial or callable object.
        name: The parameter that receives the value.
        dependencies: Dependencies without a parameter, which run first: those of the app, the routers and the route.
        own_scopes: Security scopes that are asked for here.
        parent_scopes: Security scopes that are asked for above.
        use_cache: Whether one value serves all uses in a session.
        scope: When a generator cleans up.
        supplier: The container's graph; without one, what only a container can decide is left open.
        owner: The class whose instance is the first argument.
        whole_path: Whether nothing can be put before the path any more.

    Raises:
        DeclarationError: All mistakes below the callable, at once.
    """
    reader = _Reader(path=path, supplier=supplier, whole_path=whole_path)
    dependant = Dependant(
        call=call,
        path=path,
        name=name,
        kind=kind_of(call),
        use_cache=use_cache,
        scope=scope,
        own_scopes=tuple(own_scopes),
        parent_scopes=tuple(parent_scopes),
    )
    reader.read(dependant, guards=dependencies, owner=owner)
    reader.raise_faults()
    return dependant


class _Reader:
    """One walk over a callable and everything below it, collecting the faults."""

    def __init__(self, *, path: str, supplier: Supplier | None, whole_path: bool) -> None:
        self.path = path
        self.path_names = frozenset(re.findall("{(.*?)}", path))
        self.supplier = supplier
        self.whole_path = whole_path
        self.faults: list[Fault] = []
        self.scope_error = False
        self.above: list[AnyCallable] = []

    def raise_faults(self) -> None:
        faults = tuple(dict.fromkeys(self.faults))
        if faults:
            raise DependencyScopeError(*faults) if self.scope_error else DeclarationError(*faults)

    def read(self, dependant: Dependant, *, guards: Sequence[Dependency] = (), owner: Owner | None = None) -> None:
        """Fill in the arguments of a dependant whose call is known."""
        if any(call is dependant.call for call in self.above):
            chain = " -> ".join(name_of(call) for call in (*self.above, dependant.call))
            self._fault(place_of(dependant.call), f"it depends on itself: {chain}", "break the cycle")
            return
        self.above.append(dependant.call)
        try:
            dependant.guards = [guard for marker in guards if (guard := self._guard(marker, dependant)) is not None]
            if owner is None:
                self._read_parameters(dependant, dependant.call)
            else:
                dependant.constructor = self._constructor(owner)
                self._read_parameters(dependant, dependant.call, method_of=owner)
        finally:
            self.above.pop()
        dependant.uses_scopes = _uses_scopes(dependant)

    def _read_parameters(self, dependant: Dependant, call: AnyCallable, *, method_of: Owner | None = None) -> None:
        where = place_of(dependant.call)
        try:
            signature = signature_of(call, type_arguments=method_of.type_arguments if method_of else None)
        except (TypeError, ValueError) as error:
            self._fault(where, f"it cannot be called: {error}", "name a function, a class or a callable object")
            return
        parameters = list(signature.parameters.values())[0 if method_of is None else 1 :]
        around = Surroundings(where, self.path, self.path_names, self.whole_path, self.supplier)
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            try:
                self._fill(dependant, parameter, around)
            except DeclarationError as error:
                self.faults += error.faults

    def _fill(self, dependant: Dependant, parameter: inspect.Parameter, around: Surroundings) -> None:
        argument = self._argument(dependant, parameter, around)
        if argument is not None:
            dependant.arguments.append(argument)

    def _argument(self, dependant: Dependant, parameter: inspect.Parameter, around: Surroundings) -> Argument | None:
        source = analyse(parameter, around)
        match source:
            case FromDependency(marker, call):
                return Argument(parameter.name, self._below(marker, call, dependant, parameter.name))
            case FromField(field):
                return Argument(parameter.name, field)
            case FromFramework(value):
                return Argument(parameter.name, value)
            case FromService(key):
                need = self._need(key, dependant)
                return None if need is None else Argument(parameter.name, need)
            case FromDefault():
                return None

    def _need(self, key: Any, dependant: Dependant) -> ServiceNeed | None:
        if self.supplier is None:
            return None
        service = self.supplier.service(key, (name_of(dependant.call),))
        self.faults += service.faults
        inputs: list[tuple[Input, Argument]] = []
        for given in service.inputs:
            owner = Dependant(call=given.owner, path=self.path, kind=kind_of(given.owner))
            parameter = inspect.Parameter(given.name, inspect.Parameter.KEYWORD_ONLY, annotation=given.annotation, default=given.default)
            around = Surroundings(place_of(given.owner), self.path, self.path_names, self.whole_path, self.supplier)
            argument = self._argument(owner, parameter, around)
            if argument is not None:
                inputs.append((given, argument))
        return ServiceNeed(key, service, inputs)

    def _below(self, marker: Dependency, call: AnyCallable, above: Dependant, name: str | None) -> Dependant:
        if above.kind.is_generator and above.computed_scope == "request" and marker.scope == "function":
            self.scope_error = True
            self._fault(
                place_of(above.call),
                f'{name_of(above.call)} has the scope "request" and cleans up after '
                f'{name_of(call)}, which it depends on with the scope "function"',
                'give both the same scope: Depends(..., scope="function") above, or scope="request" below',
            )
        below = Dependant(
            call=call,
            path=self.path,
            name=name,
            kind=kind_of(call),
            use_cache=marker.use_cache,
            scope=marker.scope,
            own_scopes=tuple(marker.scopes or ()) if isinstance(marker, SecurityDependency) else (),
            parent_scopes=(*above.parent_scopes, *above.own_scopes),
            limit=marker.limit,
            thread=marker.thread,
        )
        self.read(below)
        return below

    def _guard(self, marker: Any, above: Dependant) -> Dependant | None:
        if not isinstance(marker, Dependency) or not callable(marker.dependency):
            self._fault(
                place_of(above.call),
                f"dependencies=[...] holds {marker!r}, which is nothing to call",
                "write Depends(function) or Security(function)",
            )
            return None
        # Lists of dependencies start from no scopes: what a parameter's Security asks for is no business of theirs.
        return self._below(marker, marker.dependency, Dependant(call=above.call, path=self.path), None)

    def _constructor(self, owner: Owner) -> Dependant:
        constructor = Dependant(call=owner.constructed, path=self.path, inline=True)
        if owner.constructed.__init__ is not object.__init__:
            self._read_parameters(constructor, owner.constructed.__init__, method_of=owner)
        constructor.uses_scopes = _uses_scopes(constructor)
        return constructor

    def _fault(self, where: str, what: str, fix: str) -> None:
        self.faults.append(Fault(where, what, fix))


def _uses_scopes(dependant: Dependant) -> bool:
    return (
        bool(dependant.own_scopes)
        or isinstance(unwrapped(dependant.call), SecurityBase)
        or any(argument.source is Framework.SECURITY_SCOPES for argument in dependant.arguments)
        or any(below.uses_scopes for below in dependant.dependencies)
    )
