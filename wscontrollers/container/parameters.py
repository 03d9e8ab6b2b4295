"""Which parameters a constructor or provider wants filled, and with which keys."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import injector

from wscontrollers.callables import name_of, signature_of, unaliased
from wscontrollers.container.inputs import is_input
from wscontrollers.container.keys import Key, is_no_inject, is_optional, without_marks, without_none
from wscontrollers.exceptions import Fault
from wscontrollers.records import Record
from wscontrollers.strays import stray_marker


class Parameter(Record):
    """One parameter of a constructor or provider.

    Attributes:
        key: What is to be injected; None when nothing may be.
        is_input: Whether only a handshake can supply it.
        by_keyword: Whether it must be passed by keyword.
        optional: Whether None is among its types.
        kind: Whether it is injected by our kindness: injector asks for `@inject` or `Inject[...]`.
    """

    name: str
    annotation: Any
    default: Any
    key: Key | None
    is_input: bool
    by_keyword: bool
    optional: bool
    kind: bool

    @property
    def has_default(self) -> bool:
        """Whether the callable does without it."""
        return self.default is not inspect.Parameter.empty


class UnreadableError(Exception):
    """A signature cannot be read; holds the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def parameters_of(call: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters of a function, a method or a class's constructor, `*args` and `**kwargs` left out.

    Raises:
        UnreadableError: an annotation names something that cannot be found, or holds a marker that marks nothing.
    """
    function = _function_of(call)
    if function is None:
        return ()
    signature = _signature(function)
    bindings = _injected(function)
    hints = _hints(function)
    listed = list(signature.parameters.values())
    if inspect.isclass(call) and function is not call:
        listed = listed[1:]
    no_inject: frozenset[str] = frozenset(getattr(function, "__noninjectables__", ()))
    marked = hasattr(function, "__bindings__")
    found: list[Parameter] = []
    by_keyword = False
    for parameter in listed:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            by_keyword = True
            continue
        annotation = hints.get(parameter.name, parameter.annotation)
        closed = parameter.name in no_inject
        stray = stray_marker(annotation, parameter.default)
        if stray is not None:
            raise UnreadableError(Fault(name_of(function), f"parameter {parameter.name!r}: {stray[0]}", stray[1]))
        found.append(_read(parameter, annotation, bindings, closed=closed, marked=marked, by_keyword=by_keyword))
    return tuple(found)


def _read(
    parameter: inspect.Parameter, annotation: Any, bindings: Mapping[str, Key], *, closed: bool, marked: bool, by_keyword: bool
) -> Parameter:
    name, default = parameter.name, parameter.default
    outer = is_input(annotation, default)
    key: Key | None = None
    kind = False
    if outer or closed or is_no_inject(annotation):
        pass
    elif name in bindings:
        key = bindings[name]
    elif annotation is not parameter.empty and default is parameter.empty and not isinstance(annotation, str):
        key, kind = without_none(without_marks(unaliased(annotation))), not marked
    return Parameter(
        name=name,
        annotation=annotation,
        default=default,
        key=key,
        is_input=outer,
        by_keyword=by_keyword or parameter.kind is parameter.KEYWORD_ONLY,
        optional=is_optional(annotation),
        kind=kind,
    )


def _function_of(call: Callable[..., Any]) -> Callable[..., Any] | None:
    if not inspect.isclass(call):
        return call
    init: Any = call.__init__
    if init is not object.__init__:
        return init if inspect.isroutine(init) else call
    return call if call.__new__ is not object.__new__ else None


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:
        return inspect.Signature()


def _injected(function: Callable[..., Any]) -> Mapping[str, Key]:
    """What injector itself would inject: the parameters of `@inject`, or those with `Inject[...]`."""
    try:
        return injector.get_bindings(function)  # pyright: ignore[reportUnknownMemberType]  # injector's Callable is bare
    except TypeError:
        return {}  # an object with __call__, which injector does not read
    except Exception as error:
        if type(error).__name__ not in ("NameError", "AttributeError", "SyntaxError", "_BindingNotYetAvailable"):
            raise
        raise _unreadable(function, error) from error


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, SyntaxError) as error:
        signature = signature_of(function)
        if any(isinstance(parameter.annotation, str) for parameter in signature.parameters.values()):
            raise _unreadable(function, error) from error
        return {name: parameter.annotation for name, parameter in signature.parameters.items()}
    except TypeError:
        return {name: parameter.annotation for name, parameter in signature_of(function).parameters.items()}


def _unreadable(function: Callable[..., Any], error: Exception) -> UnreadableError:
    return UnreadableError(
        Fault(
            name_of(function),
            f"an annotation cannot be evaluated ({error})",
            "import the name at module level, not only for type checking or inside a function",
        )
    )
