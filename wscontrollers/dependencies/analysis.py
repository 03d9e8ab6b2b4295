"""Who fills a parameter: the six rules, first match wins.

1. a marker in `Annotated` or as default: `Depends`, `Security`, `Path`, `Query`, `Header`, `Cookie`, `FirstMessage`, `Inject`;
2. a framework type: `WebSocket`, `HTTPConnection`, `Session`, `SecurityScopes`, below a handler its message;
3. a name in the path;
4. a class the container can supply;
5. FastAPI's rule: scalars and sequences of scalars are query parameters;
6. a default; otherwise a fault, told at registration.
"""

import inspect
import types
from copy import copy
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..callables import name_of, unaliased, unfound
from ..container import inject_key, is_no_inject
from ..exceptions import DeclarationError
from ..markers import Dependency, Param, PathParam, QueryParam, SecurityDependency
from ..strays import stray_marker
from .annotations import is_scalar, is_scalar_sequence, model_of, without_annotated, without_none
from .fields import make_field
from .framework import framework_value
from .sources import Framework, FromDefault, FromDependency, FromField, FromFramework, FromService, Source
from .surroundings import Surroundings

EMPTY = inspect.Parameter.empty


def analyse(parameter: inspect.Parameter, around: Surroundings) -> Source:
    """Decide who fills a parameter.

    Args:
        parameter: With an evaluated annotation.
        around: Where it stands. Without a supplier, what only a container can decide is taken as possible.

    Raises:
        DeclarationError: Nobody can fill it, or two claim it.
    """
    return _Analysis(parameter, around).source()


class _Analysis:
    """The six rules over one parameter."""

    def __init__(self, parameter: inspect.Parameter, around: Surroundings) -> None:
        self.name = parameter.name
        self.around = around
        self.default = parameter.default
        self.annotation: Any = unaliased(parameter.annotation)
        if self.annotation is EMPTY:
            self.annotation = Any
        self.type = without_annotated(self.annotation)
        self.in_path = self.name in around.path_names

    def source(self) -> Source:
        if self.name == self.around.message:
            return FromFramework(Framework.MESSAGE)
        stray = stray_marker(self.annotation, self.default)
        if stray is not None:
            what, fix = stray
            raise self._fault(what, fix)
        marker = self._marker()
        if isinstance(marker, Dependency) and marker.dependency is not None:
            return self._dependency(marker)
        missing = unfound(self.annotation)
        if missing is not None:
            if self.around.supplier is None:  # it may be defined until the application is put together
                return FromDefault()
            raise self._fault(
                f"the annotation {missing!r} names nothing that can be found from the function's module",
                "import or define it there at the top level, not below TYPE_CHECKING and not inside of a function",
            )
        if isinstance(marker, Dependency):
            return self._dependency(marker)
        injected = inject_key(self.annotation)
        if injected is not None:
            return self._injected(injected, marker)
        framework = framework_value(self.name, self.type, self.around)
        if framework is not None:
            if marker is not None:
                raise self._fault(f"{marker!r} and the type {name_of(self.type)} both claim it", "leave the marker out")
            return FromFramework(framework)
        if marker is not None:
            return self._sent(marker)
        if self.in_path:
            return self._sent(PathParam())
        if self.name == "self" and self.annotation is Any and self.default is EMPTY:
            raise self._fault(
                "it is a method of a class, and nobody gives it an instance",
                "name the method of an instance: Depends(users.current), or depend on the class",
            )
        return self._service() or self._unmarked()

    def _fault(self, what: str, fix: str) -> DeclarationError:
        return DeclarationError.at(self.around.place(self.name), what, fix=fix)

    # Rule 1

    def _marker(self) -> Param | Dependency | None:
        metadata = get_args(self.annotation)[1:] if get_origin(self.annotation) is Annotated else ()
        inside = [item for item in metadata if isinstance(item, Param | Dependency)]
        outside = self.default if isinstance(self.default, Param | Dependency | FieldInfo) else None
        if inside and outside is not None:
            raise self._fault("it has a marker in Annotated and another one as default", "keep one of them")
        if not inside:
            return self._default_marker(outside)
        self._require_one(inside)
        marker = inside[-1]
        if isinstance(marker, Dependency):
            return marker
        if marker.default is not PydanticUndefined and not isinstance(marker, PathParam):
            raise self._fault(
                f"{type(marker).__name__.removesuffix('Param')}() in Annotated has the default {marker.default!r}",
                f"write the default behind the annotation: {self.name}: Annotated[...] = {marker.default!r}",
            )
        if self.default is EMPTY:
            return marker
        if isinstance(marker, PathParam) or self.in_path:
            raise self._fault("a path parameter cannot have a default", "leave the default out: the path always has a value")
        return self._with_default(marker)

    def _require_one(self, markers: list[Param | Dependency]) -> None:
        """Of several that are sent the last one counts, as in FastAPI; a dependency, a login say, is not passed over."""
        if len(markers) > 1 and any(isinstance(marker, Dependency) for marker in markers):
            named = " and ".join(map(_shown, markers))
            raise self._fault(f"it has several markers in Annotated, {named}", "keep the one that fills it")

    def _default_marker(self, outside: Any) -> Param | Dependency | None:
        if outside is None or isinstance(outside, Param | Dependency):
            return outside
        raise self._fault("its default is a pydantic Field()", "use Query(), Header() or Cookie(), which take the same keywords")

    def _with_default(self, marker: Param) -> Param:
        # The marker stays in the annotation as it was declared; the copy that carries the default takes its place there.
        completed = copy(marker)
        completed.default = self.default
        metadata = [completed if item is marker else item for item in get_args(self.annotation)[1:]]
        self.annotation = Annotated[(self.type, *metadata)]
        return completed

    def _dependency(self, marker: Dependency) -> FromDependency:
        call: Any = marker.dependency if marker.dependency is not None else self.type
        if call is Any or not callable(call):
            raise self._fault(
                "Depends() has nothing to call",
                "name a callable, Depends(function), or annotate the parameter with the class to construct",
            )
        return FromDependency(marker, call)

    def _injected(self, key: Any, marker: Param | None) -> Source:
        if marker is not None or self.in_path:
            claimant = repr(marker) if marker is not None else f"the path {self.around.path!r}"
            raise self._fault(f"Inject and {claimant} both claim it", "rename it, or leave Inject out")
        return FromService(key)

    # Rules 1, 3 and 5

    def _sent(self, marker: Param) -> FromField:
        if self.in_path and not isinstance(marker, PathParam):
            raise self._fault(
                f"{marker!r} and the path {self.around.path!r} both claim it", "use Path(), or rename it here or in the path"
            )
        if isinstance(self.default, Param):
            field = make_field(self.name, self.annotation, marker, path_names=self.around.path_names)
        else:
            field = make_field(self.name, self.annotation, self._inferred_default(marker), path_names=self.around.path_names)
        from .checking import unfit_field  # here and below, because an import alone declares nothing

        unfit = unfit_field(field, self.around)
        if unfit is not None:
            raise self._fault(unfit.what, unfit.fix) from unfit.cause
        return FromField(field)

    def _inferred_default(self, marker: Param) -> Param:
        if self.default is EMPTY or isinstance(marker, PathParam):
            return marker
        marker = copy(marker) if marker.default is PydanticUndefined else marker
        marker.default = self.default
        return marker

    # Rule 4

    def _service(self) -> FromService | None:
        if is_no_inject(self.annotation):
            return None
        supplier = self.around.supplier
        for key in dict.fromkeys((self.annotation, self.type, without_none(self.type))):
            if supplier is None:
                if _may_be_bound(key):
                    return FromService(key)
            elif supplier.supplies(key) and (self.default is EMPTY or key == self.annotation or supplier.is_bound(key)):
                return FromService(key)
        return None

    # Rules 5 and 6

    def _unmarked(self) -> Source:
        from .checking import is_readable

        sendable = is_scalar(self.type) or is_scalar_sequence(self.type)
        if sendable and (self.default is EMPTY or is_readable(self.annotation)):
            return self._sent(QueryParam())
        if self.default is not EMPTY:
            return FromDefault()
        if model_of(self.type) is not None:
            raise self._fault(
                f"the model {name_of(self.type)} has no marker, and a WebSocket has no body to read it from",
                "use Annotated[..., Query()], Header() or Cookie() for a group of parameters, FirstMessage() for the first "
                "frame, or bind it in the container",
            )
        raise self._fault(
            f"nothing can fill {name_of(self.type)}: it has no marker, is not in the path, the container cannot supply it, "
            "and a query cannot carry it",
            "add a marker (Depends, Query, Header, Cookie, FirstMessage, Inject), bind it in the container, or give a default",
        )


def _shown(marker: Param | Dependency) -> str:
    if isinstance(marker, Param):
        return repr(marker)
    kind = "Security" if isinstance(marker, SecurityDependency) else "Depends"
    return f"{kind}({'' if marker.dependency is None else name_of(marker.dependency)})"


def _may_be_bound(key: Any) -> bool:
    from .checking import is_readable

    if isinstance(key, type) and not isinstance(key, types.GenericAlias):
        return key.__module__ not in ("builtins", "datetime")
    return not is_readable(key)  # Store[Price], list[Plugin]: what is no parameter can be a key
