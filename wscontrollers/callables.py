"""What a callable is, and what its signature says, once its wrappers are taken off.

Everything here runs at import or registration; nothing of it is called while a session runs.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
else:
    # Python 3.11 and 3.12 have a second mark, `asyncio.coroutines._is_coroutine`, that inspect does not know.
    from asyncio import iscoroutinefunction

AnyCallable = Callable[..., Any]


class Kind(Enum):
    """How the value of a callable is had."""

    CALL = "call"
    AWAIT = "await"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"

    @property
    def is_generator(self) -> bool:
        """Whether the callable yields its value and cleans up behind the yield."""
        return self in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)


def without_partial(call: AnyCallable) -> AnyCallable:
    """The function below any number of `functools.partial`."""
    while isinstance(call, partial):
        call = call.func
    return call


def unwrapped(call: AnyCallable) -> AnyCallable:
    """The function below partials and `functools.wraps` decorators, in any order of the two."""
    while True:
        inner: AnyCallable = inspect.unwrap(without_partial(call))
        if inner is call:
            return call
        call = inner


def kind_of(call: AnyCallable) -> Kind:
    """Whether a callable is plain, a coroutine function or a generator function, looking through wrappers and `__call__`."""
    for kind, is_kind in (
        # An async wrapper around a generator function makes an async generator of it.
        (Kind.ASYNC_GENERATOR, inspect.isasyncgenfunction),
        (Kind.GENERATOR, inspect.isgeneratorfunction),
        (Kind.AWAIT, iscoroutinefunction),
    ):
        if any(is_kind(layer) for layer in _layers(call)):
            return kind
    return Kind.CALL


def _layers(call: AnyCallable) -> list[AnyCallable]:
    outer, inner = without_partial(call), unwrapped(call)
    layers: list[AnyCallable] = [layer for layer in (outer, inner) if inspect.isroutine(layer)]
    if inspect.isclass(inner):
        return layers
    for layer in (outer, inner):
        dunder_call = getattr(layer, "__call__", None)  # noqa: B004 - the method itself is looked at, not whether it exists
        if dunder_call is not None:
            layers += [without_partial(dunder_call), unwrapped(dunder_call)]
    return layers


def signature_of(call: AnyCallable, *, type_arguments: Mapping[Any, Any] | None = None) -> inspect.Signature:
    """The signature with every annotation evaluated as far as it can be.

    A name that cannot be found (a return annotation below `if TYPE_CHECKING`) stays as it was written; see `unfound`.

    Args:
        call: Any callable; a class gives the signature of its constructor.
        type_arguments: What stands for the type variables of a generic class.
    """
    try:
        signature = inspect.signature(call, eval_str=True)
    except Exception:  # an annotation is an expression, which can fail in every way that there is
        signature = _unevaluated(call)
    namespace = _globals_of(call)

    def read(annotation: Any) -> Any:
        return substituted(resolved(annotation, namespace), type_arguments or {})

    parameters = [parameter.replace(annotation=read(parameter.annotation)) for parameter in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=read(signature.return_annotation))


def _unevaluated(call: AnyCallable) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # annotations are evaluated when they are looked at (PEP 649); here as far as they can be
        from annotationlib import Format

        return inspect.signature(call, annotation_format=Format.FORWARDREF)
    return inspect.signature(call)


def _globals_of(call: AnyCallable) -> dict[str, Any]:
    function = unwrapped(call)
    if inspect.isclass(function):
        function = function.__init__
    elif not hasattr(function, "__globals__"):
        function = unwrapped(getattr(function, "__call__", function))  # noqa: B004 - see _layers
    return getattr(inspect.unwrap(function), "__globals__", {})


def resolved(annotation: Any, namespace: dict[str, Any]) -> Any:
    """The annotation with what is written as a string evaluated, at any depth: `list["User"]` becomes `list[User]`.

    Args:
        annotation: A name in it that cannot be found stays as it is; see `unfound`.
        namespace: Where names are looked up.
    """
    text = _written(annotation)
    if text is None:
        return _replaced(annotation, lambda inner: resolved(inner, namespace))
    try:
        found: Any = eval(text, namespace)  # noqa: S307 - what inspect.signature(eval_str=True) does, one parameter at a time
    except Exception:
        return annotation
    return found if _written(found) is not None else resolved(found, namespace)


def unfound(annotation: Any) -> str | None:
    """The first thing in an annotation that is still written as a string, because a name in it cannot be found."""
    text = _written(annotation)
    inner = (unfound(argument) for argument in _arguments(annotation))
    return text if text is not None else next((found for found in inner if found is not None), None)


def _written(annotation: Any) -> str | None:
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else None


def substituted(annotation: Any, type_arguments: Mapping[Any, Any]) -> Any:
    """The annotation with type variables replaced, at any depth: `Repo[T]` becomes `Repo[User]`."""
    if isinstance(annotation, typing.TypeVar):
        return type_arguments.get(annotation, annotation)
    return _replaced(annotation, lambda inner: substituted(inner, type_arguments))


def _arguments(annotation: Any) -> tuple[Any, ...]:
    """The types among what an annotation has in brackets: neither the values of a `Literal` nor the metadata of `Annotated`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    return () if origin is typing.Literal else arguments[:1] if origin is typing.Annotated else arguments


def _replaced(annotation: Any, replace: Callable[[Any], Any]) -> Any:
    """The annotation with other types in its brackets."""
    origin, arguments = typing.get_origin(annotation), _arguments(annotation)
    replaced = tuple(replace(argument) for argument in arguments)
    if origin is typing.Annotated and replaced != arguments:
        return typing.Annotated[(*replaced, *typing.get_args(annotation)[1:])]
    if replaced == arguments:
        return annotation
    if origin is types.UnionType:
        return typing.Union[replaced]  # noqa: UP007 - made of values, not written
    return annotation.copy_with(replaced) if hasattr(annotation, "copy_with") else origin[replaced]


def unaliased(annotation: Any) -> Any:
    """What a PEP 695 alias (`type Limit = ...`) stands for."""
    while _is_type_alias(annotation):
        annotation = annotation.__value__
    return annotation


def _is_type_alias(annotation: Any) -> bool:
    # By name: Python 3.11 has the class in typing_extensions only, which is no dependency of this package.
    return type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__")


def name_of(thing: Any) -> str:
    """A short name for a class, a function or an annotation, for error texts."""
    if isinstance(thing, partial):
        return f"partial({name_of(thing.func)})"
    if typing.get_origin(thing) is not None:
        return _annotation_name(thing)
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if name is None:
        return repr(typing.cast(object, thing)) if isinstance(thing, str | int | tuple) else f"{type(thing).__qualname__} object"
    return str(name).replace("<locals>.", "")


def _annotation_name(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return name_of(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " | ".join("None" if argument is type(None) else name_of(argument) for argument in arguments)
    inner = ", ".join("..." if argument is ... else name_of(argument) for argument in arguments)
    return f"{name_of(origin)}[{inner}]"


def place_of(call: AnyCallable) -> str:
    """Where a callable stands: `module.name (file:line)` as far as it is known."""
    function = unwrapped(call)
    code = getattr(function, "__code__", None) or getattr(getattr(function, "__init__", None), "__code__", None)
    module = getattr(function, "__module__", None)
    name = f"{module}.{name_of(call)}" if module else name_of(call)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name
