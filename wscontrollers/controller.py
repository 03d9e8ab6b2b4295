"""Controllers: classes whose `@websocket` methods are endpoints."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Sequence
from typing import Any, ClassVar

from .callables import name_of, place_of
from .declare import MarkedMethod, accumulated, marked_methods, type_arguments
from .dependencies import Owner
from .exceptions import DeclarationError, RouteError
from .routing import APIRouter, APIWebSocketRoute
from .routing.paths import checked_prefix, takes_all_of

_ROUTER = "__controller_router__"


def check_declaration(cls: type) -> None:
    """What can be told of a controller's marks without looking at its signatures.

    Raises:
        DeclarationError: A marked method has the name of something that every controller has.
        RouteError: The prefix does not start with a slash, or ends with one.
    """
    checked_prefix(getattr(cls, "prefix", ""), place_of(cls))
    for method in marked_methods(cls):
        if method.name in ("router", "prefix", "dependencies"):
            raise DeclarationError.at(
                f"{name_of(cls)}.{method.name}",
                f"every controller has a {method.name} of its own",
                fix="give the method another name",
            )


def make_router(cls: type) -> APIRouter:
    """The routes of a controller class, as a router."""
    methods = marked_methods(cls)
    _require_concrete(cls, methods)
    owner = Owner(cls, type_arguments(cls))
    router = APIRouter(prefix=getattr(cls, "prefix", ""), dependencies=accumulated(cls, "dependencies"))
    routes = [
        APIWebSocketRoute(
            router.prefix + mark.path,
            method.function,
            name=mark.name or f"{cls.__name__}.{method.name}",
            dependencies=mark.dependencies,
            owner=owner,
        )
        for method in methods
        for mark in method.marks
    ]
    _require_reachable(cls, routes)
    router.routes.extend(routes)
    return router


def _require_concrete(cls: type, methods: Sequence[MarkedMethod]) -> None:
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        names = ", ".join(missing)
        raise DeclarationError.at(
            place_of(cls), f"it is abstract: {names} has no body yet", fix=f"define {names}, or register a subclass that does"
        )
    if not methods:
        raise DeclarationError.at(place_of(cls), "it has no endpoint", fix='mark an async method with @websocket("/path")')


def _require_reachable(cls: type, routes: Sequence[APIWebSocketRoute]) -> None:
    for index, later in enumerate(routes):
        for earlier in routes[:index]:
            if takes_all_of(earlier.path, later.path):
                raise RouteError.at(
                    place_of(later.endpoint),
                    f"{later.name} can never be reached: {earlier.name} at {earlier.path!r} takes all paths of {later.path!r}",
                    fix="declare the narrower path first, or change one of them",
                )


class ControllerMeta(ABCMeta):
    """Checks the marks of a controller when its class is made, and gives the class its `router`.

    It keeps nothing: making a class twice, as `@dataclass(slots=True)` does, makes two classes with a router each.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> ControllerMeta:
        cls = super().__new__(mcs, name, bases, namespace, **options)
        check_declaration(cls)
        return cls

    @property
    def router(cls) -> APIRouter:
        """The routes of the controller; made when it is first asked for, which is when it is registered.

        Raises:
            DeclarationError: The controller is abstract, has no endpoint, or a parameter can never be filled.
            RouteError: One of its routes can never be reached.
        """
        made: tuple[object, APIRouter] | None = vars(cls).get(_ROUTER)
        if made is None or made[0] is not cls:
            made = (cls, make_router(cls))
            setattr(cls, _ROUTER, made)
        return made[1]


class Controller(metaclass=ControllerMeta):
    """A class whose `@websocket` methods are endpoints; one instance lives as long as one session.

    The constructor's parameters are filled by the same rules as those of an endpoint: services from the container, markers,
    path and query parameters. Inheritance is Python's own: an override keeps its path, `name = None` takes it away.

    Attributes:
        prefix: Put before the path of each endpoint; it may have parameters.
        dependencies: Run for each of its endpoints, before the constructor; those of base classes run first, always.
    """

    prefix: ClassVar[str] = ""
    dependencies: ClassVar[Sequence[Any]] = ()
