"""What a container is made of: modules, functions, classes and instances."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, cast

import injector

from wscontrollers.callables import name_of, place_of
from wscontrollers.container.keys import is_builtin
from wscontrollers.exceptions import DeclarationError


def module_of(part: Any) -> Any:
    """What injector can install: modules as they are, a class or an instance as a function that binds it.

    Raises:
        DeclarationError: it is a builtin, as a list of modules, or a Protocol, or a function that takes no `Binder`.
    """
    kind: type[Any] | None = part if inspect.isclass(part) else None
    if kind is None and isinstance(part, injector.Module):
        return part
    if kind is None and (isinstance(part, partial) or inspect.isroutine(part)):
        _require_binder(cast(Any, part))
        return cast(Any, part)
    if kind is not None and issubclass(kind, injector.Module):
        return kind
    _require_meaning(part if kind is not None else cast(Any, type(part)))

    def bind(binder: injector.Binder) -> None:
        if kind is not None:
            binder.bind(kind)
        else:
            binder.bind(cast(Any, type(part)), to=injector.InstanceProvider(part))

    return bind


def _require_binder(function: Any) -> None:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise DeclarationError.at(
            place_of(function), "it takes no Binder", fix="give it one parameter: def configure(binder: Binder) -> None"
        ) from None
    except ValueError:
        return  # a builtin without a signature


def _require_meaning(kind: type[Any]) -> None:
    if is_builtin(kind):
        raise DeclarationError.at(
            f"Container({name_of(kind)})",
            "a builtin says nothing about what is meant",
            fix="give modules one by one, Container(Production(), Plugins()), and bind builtins in one of them",
        )
    if getattr(kind, "_is_protocol", False):
        raise DeclarationError.at(name_of(kind), f"{name_of(kind)} is a Protocol", fix="bind it to a class that implements it")
