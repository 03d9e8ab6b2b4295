"""What a key is, which keys are builtins, and which classes may be constructed without a binding."""

from __future__ import annotations

import inspect
import ipaddress
import re
import sys
import types
import typing
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Annotated, Any, TypeAlias, TypeVar, Union
from uuid import UUID

import injector
from starlette.requests import HTTPConnection

ClassT = TypeVar("ClassT", bound=type)
Key: TypeAlias = Any
"""What a thing is bound to and asked for by: a class, a NewType, an `Annotated`, `list[...]`, a `BoundKey` ..."""

SCALARS: tuple[type, ...] = (
    *(str, bytes, bytearray, memoryview, int, float, complex, Decimal, Fraction, Enum, date, time, timedelta, tzinfo, UUID),
    *(PurePath, re.Pattern, ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
)
"""Types whose values come from a client or a setting; subclasses count. An empty one is never invented."""

_FOREIGN = frozenset(sys.stdlib_module_names) - {"__main__"} | {
    *("pydantic", "pydantic_core", "pydantic_settings", "starlette", "typing_extensions", "injector"),
}
_INJECT, _NO_INJECT = typing.get_args(injector.Inject[int])[1], typing.get_args(injector.NoInject[int])[1]


def is_inject(annotation: Any) -> bool:
    """Whether the annotation is `Inject[...]`."""
    return _INJECT in _metadata(annotation)


def is_no_inject(annotation: Any) -> bool:
    """Whether the annotation is `NoInject[...]`."""
    return _NO_INJECT in _metadata(annotation) or any(_NO_INJECT in _metadata(member) for member in _members(annotation))


def inject_key(annotation: Any) -> Key | None:
    """The key that `Inject[...]` names, its marker and a `| None` taken off; None when it is no `Inject[...]`.

    Source: `_recreate_annotated_origin` of injector 0.24: metadata left of the marker belong to the key.
    """
    if any(is_inject(member) for member in _members(annotation)):
        return without_none(Union[tuple(inject_key(member) or member for member in _members(annotation))])  # noqa: UP007
    if not is_inject(annotation):
        return None
    return without_none(without_marks(annotation))


def without_marks(annotation: Any) -> Any:
    """The annotation without `Inject` and `NoInject`."""
    metadata = _metadata(annotation)
    if _INJECT not in metadata and _NO_INJECT not in metadata:
        return annotation
    key: Any = typing.get_args(annotation)[0]
    for item in metadata:
        if item in (_INJECT, _NO_INJECT):
            break
        key = Annotated[key, item]
    return key


def without_none(annotation: Any) -> Any:
    """`X | None` as `X`; every other annotation as it is."""
    members = _members(annotation)
    if type(None) not in members:
        return annotation
    return Union[tuple(member for member in members if member is not type(None))]  # noqa: UP007 - made of values, not written


def is_optional(annotation: Any) -> bool:
    """Whether None is one of the annotation's members."""
    return type(None) in _members(without_marks(annotation))


def _metadata(annotation: Any) -> tuple[Any, ...]:
    origin: Any = typing.get_origin(annotation)
    return typing.get_args(annotation)[1:] if origin is Annotated else ()


def _members(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) in (Union, types.UnionType) else ()


def bare(key: Key) -> Any:
    """The type below a NewType or an `Annotated` (one step, as injector takes it)."""
    if isinstance(key, typing.NewType):
        return key.__supertype__
    return typing.get_args(key)[0] if _metadata(key) else key


def is_key(key: object) -> bool:
    """Whether a thing can be a key at all."""
    try:
        hash(key)
    except TypeError:
        return False
    return key is not Any and not isinstance(key, str)


def is_lazy(key: Key) -> bool:
    """Whether the key is `ProviderOf[...]` or `AssistedBuilder[...]`: it makes things when it is asked."""
    origin: Any = typing.get_origin(key)
    return origin in (injector.ProviderOf, injector.AssistedBuilder, injector.ClassAssistedBuilder)


def is_builtin(key: Key) -> bool:
    """Whether the key says nothing about what is meant: `str`, `int`, `UUID`, `list[str]`; not a NewType or a user's subclass."""
    if key is None or key is Any or key is type(None):
        return True
    if inspect.isclass(key) and not isinstance(key, types.GenericAlias):
        # Since Python 3.13 paths say that they are of `pathlib._local`.
        return key in SCALARS or key.__module__.partition(".")[0] in ("builtins", "datetime", "pathlib")
    origin: Any = typing.get_origin(key)
    arguments = typing.get_args(key)
    if origin in (Union, types.UnionType) or origin in (list, dict, set, frozenset, tuple):
        return all(argument is ... or is_builtin(argument) for argument in arguments)
    return False


def is_scalar(key: Key) -> bool:
    """Whether values of the key are scalars: a builtin, a subclass of one, or a NewType or `Annotated` of those."""
    key = bare(key)
    return is_builtin(key) or (inspect.isclass(key) and issubclass(key, SCALARS))


def is_model(key: Key) -> bool:
    """Whether pydantic knows how to validate the class: a model, a pydantic dataclass, or one with a core schema of its own."""
    return inspect.isclass(key) and (hasattr(key, "__get_pydantic_core_schema__") or hasattr(key, "__pydantic_validator__"))


def session_type(cls: ClassT) -> ClassT:
    """Mark a class as one that a session supplies (as Starlette's `WebSocket` is): to ask for it is to be session-scoped."""
    cls.__session_type__ = True  # type: ignore[attr-defined]
    return cls


def is_session_type(annotation: Any) -> bool:
    """Whether the annotation is a class (or a generic one with its arguments) that only a session can supply."""
    cls = typing.get_origin(annotation) or annotation
    if not inspect.isclass(cls):
        return False
    return issubclass(cls, HTTPConnection) or getattr(cls, "__session_type__", False) is True


def _has_fields(cls: Any) -> bool:
    return hasattr(cls, "_fields")


def is_constructible(key: Key) -> bool:
    """Whether the key is a class of the user's own that can be made without a binding."""
    return why_not_constructible(key) is None


def why_not_constructible(key: Key) -> str | None:
    """Why a class cannot be made without a binding, as the end of the sentence "it is ..."; None if it can."""
    key = bare(key)
    if is_scalar(key):
        return "a builtin or scalar, which is never invented"
    if not inspect.isclass(key) or isinstance(key, types.GenericAlias):
        return "no class"
    if is_session_type(key):
        return "something that only a session supplies"
    if is_model(key):
        return "a pydantic model, which is never invented"
    if getattr(key, "_is_protocol", False):
        return "a Protocol"
    if inspect.isabstract(key):
        return "abstract ({})".format(", ".join(sorted(getattr(key, "__abstractmethods__", ()))))
    if typing.is_typeddict(key) or (issubclass(key, tuple) and _has_fields(key)):
        return "plain data"
    if key.__module__.partition(".")[0] in _FOREIGN:
        return f"a class of {key.__module__.partition('.')[0]}, not of your own"
    return None
