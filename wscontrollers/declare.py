"""Marks: what `@websocket` and `@receive` leave on a function, and how they are read along the classes of a controller.

A mark is an attribute; the function itself is returned, so a marked method is an ordinary method in an ordinary test.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, overload

from .callables import AnyCallable, name_of, resolved, substituted
from .exceptions import DeclarationError, RouteError
from .markers import Dependency, listed
from .records import Record

FunctionT = TypeVar("FunctionT", bound=AnyCallable)

_ATTRIBUTE = "__websocket_marks__"
_RECEIVE_ATTRIBUTE = "__receive_mark__"


class WebSocketMark(Record):
    """What `@websocket` says of a method: it is an endpoint at this path.

    `limits` is a `Limits`, or None where nothing was said; `accept` is whether its session is accepted before it runs.
    """

    path: str
    name: str | None
    dependencies: tuple[Dependency, ...]
    accept: bool = True
    limits: Any = None


class Per(Record):
    """The order in which messages of one key follow each other, and those of different keys do not wait; see `per`."""

    key: str


Order = Literal["serial", "concurrent", "latest"] | Per
"""How messages of one handler follow each other."""


class ReceiveMark(Record):
    """What `@receive` says of a method: it handles messages of one type."""

    order: Order = "serial"
    limit: int = 8
    timeout: float | None = None
    raises: tuple[type[Exception], ...] = ()
    dependencies: tuple[Dependency, ...] = ()


class MarkedHandler(Record):
    """A method of a class that is a handler, with the nearest mark and the nearest definition."""

    name: str
    function: AnyCallable
    mark: ReceiveMark


class MarkedMethod(Record):
    """A method of a class that is an endpoint, with the nearest marks and the nearest definition."""

    name: str
    function: AnyCallable
    marks: tuple[WebSocketMark, ...]


def websocket(
    path: str, *, name: str | None = None, dependencies: Sequence[Dependency] = (), accept: bool = True, limits: Any = None
) -> Callable[[FunctionT], FunctionT]:
    """Mark a method of a controller as the endpoint of a path.

    Args:
        path: Behind the controller's prefix; `""` is the prefix itself.
        name: For `url_path_for`; `Rooms.open` for the method `open` of `Rooms` when left out.
        dependencies: Run after those of the class, before the constructor.
        accept: Whether a `Session` is accepted just before the method runs; otherwise it calls `session.accept()` itself.
        limits: A `Limits` over those of the controller and the app.

    Returns:
        A decorator that returns the method itself. Several marks on one method are several paths.

    Raises:
        RouteError: The path is no text, or does not start with a slash.
        DeclarationError: What is marked is no function, or the dependencies are no list.
    """
    if not isinstance(cast(object, path), str):
        raise RouteError.at("@websocket", f"the path {name_of(path)} is no text", fix='write @websocket("/path")')
    if path and not path.startswith("/"):
        raise RouteError.at(f"@websocket({path!r})", "the path does not start with a slash", fix=f'write "/{path}"')
    guards = tuple(listed(dependencies, f"@websocket({path!r}, dependencies=...)"))

    def mark(function: FunctionT) -> FunctionT:
        if not isinstance(cast(object, function), FunctionType):
            raise DeclarationError.at(
                f"@websocket({path!r})",
                f"it marks a {type(function).__name__}, and an endpoint is a method with self",
                fix="mark a plain async method, below other decorators that return no function",
            )
        marks: tuple[WebSocketMark, ...] = getattr(function, _ATTRIBUTE, ())
        # Decorators are applied from the bottom up; the paths are asked in the order in which they are read.
        setattr(function, _ATTRIBUTE, (WebSocketMark(path, name, guards, accept, limits), *marks))
        return function

    return mark


def per(key: str) -> Per:
    """An order for `@receive`: messages of one key follow each other, those of different keys do not wait for each other.

    Args:
        key: A field of the message, else a parameter of the path.
    """
    return Per(key)


@overload
def receive(function: FunctionT, /) -> FunctionT: ...


@overload
def receive(
    *,
    order: Order = "serial",
    limit: int = 8,
    timeout: float | None = None,
    raises: Sequence[type[Exception]] = (),
    dependencies: Sequence[Dependency] = (),
) -> Callable[[FunctionT], FunctionT]: ...


def receive(
    function: AnyCallable | None = None,
    /,
    *,
    order: Order = "serial",
    limit: int = 8,
    timeout: float | None = None,
    raises: Sequence[type[Exception]] = (),
    dependencies: Sequence[Dependency] = (),
) -> Any:
    """Mark a method of a controller as the handler of the messages that its parameter `message` is annotated with.

    Args:
        function: The method, where the decorator is written without parentheses.
        order: `"serial"`, one message after the other; `"concurrent"`; `"latest"`, where a newer message cancels the older one;
            or `per("room")`.
        limit: How many messages are handled at once where the order allows several; when there are more, reading waits.
        timeout: Seconds after which the handler is cancelled and answers the error `timeout`.
        raises: Exceptions that are part of the protocol: the client gets their code and text.
        dependencies: Run for each message, before the handler's own.

    Returns:
        The method itself, or a decorator that returns it.

    Raises:
        DeclarationError: What is marked is no function, or an argument cannot be.
    """
    given: object = raises
    if isinstance(given, type):
        raise DeclarationError.at(
            f"@receive(raises={name_of(given)})",
            "it is a class, and several can be named",
            fix=f"write raises=[{name_of(given)}]",
        )
    made = ReceiveMark(order, limit, timeout, tuple(raises), tuple(listed(dependencies, "@receive(dependencies=...)")))
    _check_receive(made)

    def mark(function: FunctionT) -> FunctionT:
        if not isinstance(cast(object, function), FunctionType):
            raise DeclarationError.at(
                "@receive",
                f"it marks a {type(function).__name__}, and a handler is a method with self",
                fix="mark a plain async method",
            )
        setattr(function, _RECEIVE_ATTRIBUTE, made)
        return function

    return mark if function is None else mark(function)


def _check_receive(mark: ReceiveMark) -> None:
    order: object = mark.order
    if not isinstance(order, Per) and order not in ("serial", "concurrent", "latest"):
        raise DeclarationError.at(
            f"@receive(order={order!r})", "there is no such order", fix='write "serial", "concurrent", "latest" or per("key")'
        )
    if mark.limit < 1:
        raise DeclarationError.at(f"@receive(limit={mark.limit})", "nothing could ever run", fix="give a number above 0")
    if mark.timeout is not None and mark.timeout <= 0:
        raise DeclarationError.at(f"@receive(timeout={mark.timeout})", "no handler is that fast", fix="give seconds above 0")
    for error in cast("tuple[object, ...]", mark.raises):
        if not (isinstance(error, type) and issubclass(error, Exception)):
            raise DeclarationError.at(
                "@receive(raises=...)", f"{name_of(error)} is no exception class", fix="name classes: raises=[RoomFull]"
            )


def marked_methods(cls: type) -> list[MarkedMethod]:
    """The endpoints of a class: along its MRO the nearest mark wins for each name, base classes' methods first.

    An override without a mark keeps the path; `name = None` takes the endpoint away, also from those who override it without a
    mark of their own.
    """
    found = ((name, _nearest(cls, name, _ATTRIBUTE, "an endpoint")) for name in _names(cls))
    return [MarkedMethod(name, *method) for name, method in found if method is not None]


def marked_handlers(cls: type) -> list[MarkedHandler]:
    """The handlers of a class, read along its MRO as `marked_methods` reads endpoints."""
    found = ((name, _nearest(cls, name, _RECEIVE_ATTRIBUTE, "a handler")) for name in _names(cls))
    return [MarkedHandler(name, *handler) for name, handler in found if handler is not None]


def is_marked(cls: type, name: str) -> bool:
    """Whether a name of a class is an endpoint or a handler."""
    return any(_nearest(cls, name, attribute, "marked") is not None for attribute in (_ATTRIBUTE, _RECEIVE_ATTRIBUTE))


def _names(cls: type) -> dict[str, None]:
    return dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))


def _nearest(cls: type, name: str, attribute: str, role: str) -> tuple[Any, Any] | None:
    """The nearest definition of a name and its nearest mark."""
    nearest: Any = None
    for base in cls.__mro__:
        if name not in vars(base):
            continue
        value = vars(base)[name]
        if value is None:
            return None
        nearest = value if nearest is None else nearest
        # A staticmethod or classmethod around a marked function hides the mark.
        mark = getattr(value, attribute, None) or getattr(getattr(value, "__func__", None), attribute, None)
        if mark:
            if nearest is value and not inspect.isfunction(value):
                raise DeclarationError.at(
                    f"{name_of(cls)}.{name}",
                    f"it is {role}, which is a method with self, and it is a {type(value).__name__}",
                    fix="take the decorator off",
                )
            if not inspect.isfunction(nearest):
                raise DeclarationError.at(
                    f"{name_of(cls)}.{name}",
                    f"it overrides {role} and is a {type(nearest).__name__}",
                    fix="override it with an async method, or take it away with None",
                )
            return nearest, mark
    return None


def accumulated(cls: type, attribute: str) -> list[Any]:
    """What the classes of an MRO list under a name, base classes first: a subclass adds and cannot take away."""
    found: list[Any] = []
    for base in reversed(cls.__mro__):
        given: object = vars(base).get(attribute) or ()
        if not isinstance(given, list | tuple):  # (Depends(login)) without a comma is no tuple
            raise DeclarationError.at(f"{name_of(base)}.{attribute}", "it is no list", fix=f"write {attribute} = [...]")
        found += given
    return found


def type_arguments(cls: type, function: AnyCallable) -> Mapping[Any, Any]:
    """What stands for the type variables in the signature of a method: `{T: User}` in `Crud` for `class Users(Crud[User])`.

    `Crud["User"]` is looked up in the module of `Users`; what is not found there (yet) stays as it was written.

    The same variable can stand for one type in one class of the hierarchy and for another in the next, so what counts is the
    class that defines the method.
    """
    definer = next((base for base in cls.__mro__ if any(value is function for value in vars(base).values())), cls)
    return _arguments_by_class(cls).get(definer, {})


def _arguments_by_class(cls: type) -> dict[type, dict[Any, Any]]:
    found: dict[type, dict[Any, Any]] = {cls: {}}
    to_do = [cls]
    while to_do:
        above = to_do.pop()
        aliases = {get_origin(alias): get_args(alias) for alias in vars(above).get("__orig_bases__", ())}
        namespace = vars(sys.modules[above.__module__]) if above.__module__ in sys.modules else {}
        for base in above.__bases__:
            if base not in found:
                variables: tuple[Any, ...] = getattr(base, "__parameters__", ())
                given = aliases.get(base, ())
                found[base] = {
                    variable: substituted(resolved(argument, namespace), found[above])
                    for variable, argument in zip(variables, given, strict=False)
                }
                to_do.append(base)
    return found
