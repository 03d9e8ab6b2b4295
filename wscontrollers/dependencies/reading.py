"""Reading: a callable's signature, and those of everything below it, become a dependant; all mistakes are told at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_origin

from .. import security
from ..callables import AnyCallable, Kind, kind_of, name_of, place_of, signature_of, unfound, unwrapped
from ..container import Input, is_session_type
from ..container.reading import MAX_DEPTH
from ..declare import type_arguments
from ..exceptions import DeclarationError, DependencyScopeError, Fault
from ..markers import Dependency, DependencyScope, SecurityDependency
from .analysis import analyse
from .dependant import Argument, Dependant, Owner, Receiver, ServiceNeed
from .sources import Framework, FromDefault, FromDependency, FromField, FromFramework, FromService
from .surroundings import Supplier, Surroundings


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
    receivers: Sequence[Receiver] = (),
    message_types: tuple[type, ...] | None = None,
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
        receivers: The owner's methods that are called for each message.
        message_types: For what stands below such a method: the messages that it is given.

    Raises:
        DeclarationError: All mistakes below the callable, at once.
    """
    reader = _Reader(path=path, supplier=supplier, whole_path=whole_path)
    reader.message_types = message_types
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
    dependant.handlers = [reader.handler(receiver, owner) for receiver in receivers]
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
        self.known: dict[Any, Dependant] = {}
        self.message_types: tuple[type, ...] | None = None

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
        if len(self.above) > MAX_DEPTH:
            self._too_deep()
            return
        self.above.append(dependant.call)
        try:
            dependant.guards = [guard for marker in guards if (guard := self._guard(marker, dependant)) is not None]
            if owner is None:
                self._read_parameters(dependant, dependant.call)
            else:
                dependant.constructor = self._constructor(owner)
                self._read_parameters(dependant, dependant.call, method_of=owner)
        except RecursionError:  # what it needs of the container may stand deep too
            self._too_deep()
        finally:
            self.above.pop()
        dependant.uses_scopes = _uses_scopes(dependant)

    def handler(self, receiver: Receiver, owner: Owner | None) -> Dependant:
        """What is called for each message; what stands below it may take the message too."""
        dependant = Dependant(call=receiver.call, path=self.path, kind=kind_of(receiver.call), message_types=receiver.types)
        self.message_types = receiver.types
        try:
            dependant.guards = [
                guard for marker in receiver.dependencies if (guard := self._guard(marker, dependant)) is not None
            ]
            self._read_parameters(dependant, receiver.call, method_of=owner, message=receiver.parameter)
        finally:
            self.message_types = None
        return dependant

    def _read_parameters(
        self, dependant: Dependant, call: AnyCallable, *, method_of: Owner | None = None, message: str | None = None
    ) -> None:
        where = place_of(dependant.call)
        try:
            arguments: Mapping[Any, Any] = type_arguments(method_of.constructed, call) if method_of else {}
            signature = signature_of(call, type_arguments=arguments)
        except (TypeError, ValueError) as error:
            self._fault(where, f"it cannot be called: {error}", "name a function, a class or a callable object")
            return
        parameters = list(signature.parameters.values())
        if method_of is not None and not self._has_self(parameters[:1], where):
            return
        parameters = parameters[0 if method_of is None else 1 :]
        around = self._surroundings(where, message)
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if method_of is not None and self._is_open(parameter, method_of, arguments, where):
                continue
            try:
                self._fill(dependant, parameter, around)
            except DeclarationError as error:
                self.faults += error.faults

    def _has_self(self, first: Sequence[inspect.Parameter], where: str) -> bool:
        """Whether a method begins with a parameter for its instance."""
        taken = first and first[0].kind not in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
        if taken and not is_session_type(first[0].annotation):
            return True
        self._fault(where, "it is a method without self", "write self before its other parameters")
        return False

    def _is_open(self, parameter: inspect.Parameter, owner: Owner, arguments: Mapping[Any, Any], where: str) -> bool:
        """Whether a type variable in an annotation stands for no type, be it not said or said by a name that is not found."""
        variable = _unresolved(parameter.annotation)
        if variable is not None:
            self._fault(
                f"{where}, parameter {parameter.name!r}",
                f"the type variable {variable} stands for no type here",
                f"register a subclass that says what it is: class Of({name_of(owner.constructed)}[...])",
            )
            return True
        missing = unfound(parameter.annotation)
        if missing is None or missing not in map(unfound, arguments.values()):
            return False
        if self.supplier is not None:  # else it may be defined until the application is put together
            self._fault(
                f"{where}, parameter {parameter.name!r}",
                f"the type argument {missing!r} names nothing that can be found from the module of {name_of(owner.constructed)}",
                "import or define it there at the top level, not below TYPE_CHECKING and not inside of a function",
            )
        return True

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

    def _surroundings(self, where: str, message: str | None = None) -> Surroundings:
        return Surroundings(
            where, self.path, self.path_names, self.whole_path, self.supplier, message_types=self.message_types, message=message
        )

    def _need(self, key: Any, dependant: Dependant) -> ServiceNeed | None:
        if self.supplier is None:
            return None
        service = self.supplier.service(key, (name_of(dependant.call),))
        self.faults += service.faults
        inputs: list[tuple[Input, Argument]] = []
        for given in service.inputs:
            owner = Dependant(call=given.owner, path=self.path, kind=kind_of(given.owner))
            parameter = inspect.Parameter(
                given.name, inspect.Parameter.KEYWORD_ONLY, annotation=given.annotation, default=given.default
            )
            around = self._surroundings(place_of(given.owner))
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
        own = tuple(marker.scopes or ()) if isinstance(marker, SecurityDependency) else ()
        below = self._read_once(call, marker.scope, own, (*above.parent_scopes, *above.own_scopes))
        return below.with_options(name=name, use_cache=marker.use_cache, limit=marker.limit, thread=marker.thread)

    def _read_once(
        self, call: AnyCallable, scope: DependencyScope | None, own: tuple[str, ...], parent: tuple[str, ...]
    ) -> Dependant:
        # What is below a callable is read once, however many ways lead to it: the ways double with each row of diamonds.
        key = (id(call), scope, own, parent, self.message_types)
        if key not in self.known:
            read = Dependant(call=call, path=self.path, kind=kind_of(call), scope=scope, own_scopes=own, parent_scopes=parent)
            self.read(read)
            self.known[key] = read
        return self.known[key]

    def _guard(self, marker: Any, above: Dependant) -> Dependant | None:
        if not isinstance(marker, Dependency) or not callable(marker.dependency):
            self._fault(
                place_of(above.call),
                f"dependencies=[...] holds {name_of(marker)}, which is nothing to call",
                "write Depends(function) or Security(function)",
            )
            return None
        # Lists of dependencies start from no scopes: what a parameter's Security asks for is no business of theirs.
        return self._below(marker, marker.dependency, Dependant(call=above.call, path=self.path), None)

    def _constructor(self, owner: Owner) -> Dependant:
        constructor = Dependant(call=owner.constructed, path=self.path, inline=True)
        if self.supplier is not None and self.supplier.is_bound(owner.constructed):
            self._fault(
                place_of(owner.constructed),
                "it is bound in the container, which makes no controllers: each session has one of its own",
                "take the binding away; what its constructor needs is bound",
            )
        initializer: AnyCallable = owner.constructed.__init__  # type: ignore[misc]  # of this very class, no subclass
        if kind_of(initializer) is not Kind.CALL:
            self._fault(place_of(initializer), "a constructor cannot be async or yield", "let a provider or a dependency wait")
        if initializer is object.__init__:
            initializer = owner.constructed.__new__
        if initializer is not object.__new__:
            self._read_parameters(constructor, initializer, method_of=owner)
        constructor.uses_scopes = _uses_scopes(constructor)
        return constructor

    def _too_deep(self) -> None:
        what = f"dependencies stand too deep below each other: over {MAX_DEPTH} levels, or over what Python's stack has left"
        self._fault(place_of(self.above[0]), what, "let something on the way depend on what it uses itself")

    def _fault(self, where: str, what: str, fix: str) -> None:
        self.faults.append(Fault(where, what, fix))


def _unresolved(annotation: Any) -> str | None:
    """A type variable in an annotation that nothing says more of; one with a bound or a default says enough."""
    alone = isinstance(annotation, TypeVar)
    variables = (annotation,) if alone else getattr(annotation, "__parameters__", ()) if get_origin(annotation) else ()
    said = (each for each in variables if isinstance(each, TypeVar))
    free = (each for each in said if not (each.__bound__ or each.__constraints__ or getattr(each, "has_default", bool)()))
    return next((each.__name__ for each in free), None)


def _uses_scopes(dependant: Dependant) -> bool:
    return (
        bool(dependant.own_scopes)
        or isinstance(unwrapped(dependant.call), security.SecurityBase)
        or any(argument.source is Framework.SECURITY_SCOPES for argument in dependant.arguments)
        or any(below.uses_scopes for below in dependant.dependencies)
    )
