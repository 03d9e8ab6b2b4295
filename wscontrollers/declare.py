"""Marks: what `@websocket` leaves on a function, and how marks are read along the classes of a controller.

A mark is an attribute; the function itself is returned, so a marked method is an ordinary method in an ordinary test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

from .callables import AnyCallable, name_of, substituted
from .exceptions import DeclarationError, RouteError
from .markers import Dependency

FunctionT = TypeVar("FunctionT", bound=AnyCallable)

_ATTRIBUTE = "__websocket_marks__"


@dataclass(frozen=True, slots=True)
class WebSocketMark:
    """What `@websocket` says of a method: it is an endpoint at this path."""

    path: str
    name: str | None
    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True)
class MarkedMethod:
    """A method of a class that is an endpoint, with the nearest marks and the nearest definition."""

    name: str
    function: AnyCallable
    marks: tuple[WebSocketMark, ...]


def websocket(path: str, *, name: str | None = None, dependencies: Sequence[Dependency] = ()) -> Callable[[FunctionT], FunctionT]:
    """Mark a method of a controller as the endpoint of a path.

    Args:
        path: Behind the controller's prefix; `""` is the prefix itself.
        name: For `url_path_for`; `Rooms.open` for the method `open` of `Rooms` when left out.
        dependencies: Run after those of the class, before the constructor.

    Returns:
        A decorator that returns the method itself. Several marks on one method are several paths.

    Raises:
        RouteError: The path does not start with a slash.
        DeclarationError: What is marked is no function.
    """
    if path and not path.startswith("/"):
        raise RouteError.at(f"@websocket({path!r})", "the path does not start with a slash", fix=f'write "/{path}"')

    def mark(function: FunctionT) -> FunctionT:
        if not isinstance(cast(object, function), FunctionType):
            raise DeclarationError.at(
                f"@websocket({path!r})",
                f"it marks a {type(function).__name__}, and an endpoint is a method with self",
                fix="mark a plain async method, below other decorators that return no function",
            )
        marks: tuple[WebSocketMark, ...] = getattr(function, _ATTRIBUTE, ())
        # Decorators are applied from the bottom up; the paths are asked in the order in which they are read.
        setattr(function, _ATTRIBUTE, (WebSocketMark(path, name, tuple(dependencies)), *marks))
        return function

    return mark


def marked_methods(cls: type) -> list[MarkedMethod]:
    """The endpoints of a class: along its MRO the nearest mark wins for each name, base classes' methods first.

    An override without a mark keeps the path; `name = None` takes the endpoint away, also from those who override it without a
    mark of their own.
    """
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    return [method for name in names if (method := _marked_method(cls, name)) is not None]


def _marked_method(cls: type, name: str) -> MarkedMethod | None:
    nearest: Any = None
    for base in cls.__mro__:
        if name not in vars(base):
            continue
        value = vars(base)[name]
        if value is None:
            return None
        nearest = value if nearest is None else nearest
        marks: tuple[WebSocketMark, ...] = getattr(value, _ATTRIBUTE, ())
        if marks:
            if not inspect.isfunction(nearest):
                raise DeclarationError.at(
                    f"{name_of(cls)}.{name}",
                    f"it overrides an endpoint and is a {type(nearest).__name__}",
                    fix="override it with an async method, or take it away with None",
                )
            return MarkedMethod(name, nearest, marks)
    return None


def accumulated(cls: type, attribute: str) -> list[Any]:
    """What the classes of an MRO list under a name, base classes first: a subclass adds and cannot take away."""
    return [item for base in reversed(cls.__mro__) for item in vars(base).get(attribute, ())]


def type_arguments(cls: type) -> dict[Any, Any]:
    """What stands for each type variable of the generic base classes: `{T: User}` for `class Users(Crud[User])`."""
    found: dict[Any, Any] = {}
    for base in cls.__mro__:
        for alias in vars(base).get("__orig_bases__", ()):
            origin = get_origin(alias)
            if origin is None or origin is Generic:
                continue
            variables: tuple[Any, ...] = getattr(origin, "__parameters__", ())
            for variable, argument in zip(variables, get_args(alias), strict=False):
                found.setdefault(variable, substituted(argument, found))
    return found
