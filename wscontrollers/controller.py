"""Controllers: classes whose `@websocket` methods are endpoints."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Sequence
from typing import Any, ClassVar

from . import messages, session
from .callables import Kind, kind_of, name_of, place_of, signature_of
from .declare import MarkedMethod, WebSocketMark, accumulated, is_marked, marked_handlers, marked_methods, type_arguments
from .dependencies import Owner
from .exceptions import DeclarationError, RouteError
from .routing import APIRouter, APIWebSocketRoute
from .routing.paths import checked_prefix, takes_all_of
from .session.contract import Contract
from .session.limits import Limits, given_limits

_ROUTER = "__controller_router__"
_LISTS = ("dependencies", "sends")
_OPTIONS = frozenset({"prefix", "limits", "outbox", "protocol", "resume", *_LISTS})
_OWN_NAMES = _OPTIONS | {"router", "around_message"}


def check_declaration(cls: type) -> None:
    """What can be told of a controller's marks without looking at its signatures.

    Raises:
        DeclarationError: A marked method has the name of something that every controller has.
        RouteError: The prefix does not start with a slash, or ends with one.
    """
    checked_prefix(getattr(cls, "prefix", ""), place_of(cls))
    endpoints, handlers = ({each.name for each in marked} for marked in (marked_methods(cls), marked_handlers(cls)))
    for name in sorted((endpoints | handlers) & _OWN_NAMES):
        raise DeclarationError.at(
            f"{name_of(cls)}.{name}", f"every controller has a {name} of its own", fix="give the method another name"
        )
    both = endpoints & handlers
    if both:
        raise DeclarationError.at(
            f"{name_of(cls)}.{min(both)}", "it is an endpoint and a handler", fix="write two methods, one for each"
        )
    _check_around(cls)
    if handlers:
        session.check_handlers(cls)


def _check_around(cls: type) -> None:
    around = inspect.getattr_static(cls, "around_message", None)
    if around is None:
        return
    fix = "write async def around_message(self, message, call_next)"
    where = f"{name_of(cls)}.around_message"
    takes_self = inspect.isfunction(around)
    call: Any = around if takes_self else getattr(cls, "around_message")  # noqa: B009 - it is no attribute of every class
    if not callable(call):
        raise DeclarationError.at(where, f"it is {around!r}, and stands around handlers as a method", fix=fix)
    if kind_of(call) is not Kind.AWAIT:
        raise DeclarationError.at(where, "it is not async, and what it calls has to be awaited", fix=fix)
    try:
        inspect.signature(call).bind(*("self", "message", "call_next")[0 if takes_self else 1 :])
    except TypeError:
        raise DeclarationError.at(where, "it cannot be called with a message and what comes next", fix=fix) from None


def make_router(cls: type) -> APIRouter:
    """The routes of a controller class, as a router."""
    methods = marked_methods(cls)
    _require_concrete(cls, methods)
    handlers = session.handlers_of(cls) if marked_handlers(cls) else None  # else nothing of messages is loaded
    _require_generator(cls, methods, handlers)
    owner = Owner(cls)
    router = APIRouter(prefix=getattr(cls, "prefix", ""), dependencies=accumulated(cls, "dependencies"))
    routes = [
        APIWebSocketRoute(
            router.prefix + mark.path,
            method.function,
            name=mark.name or f"{cls.__name__}.{method.name}",
            dependencies=mark.dependencies,
            owner=owner,
            contract=_contract(cls, method, mark, handlers),
        ).of_router(router)
        for method in methods
        for mark in method.marks
    ]
    _require_reachable(cls, routes)
    router.routes.extend(routes)
    _freeze_lists(cls)
    return router


def _freeze_lists(cls: type) -> None:
    """What the routes were made of stays as it is: what is appended to a list later would guard nothing."""
    for base in cls.__mro__:
        if isinstance(base, ControllerMeta):
            for name in _LISTS:
                given: Sequence[Any] | None = vars(base).get(name)
                if isinstance(given, list):
                    type.__setattr__(base, name, tuple(given))


def check_change(cls: type, name: str) -> None:
    """Refuse to set on a controller what routes were made of already.

    Raises:
        DeclarationError: The routes of the class, or of one below it, would stay as they are.
    """
    classes = [cls]
    for each in classes:
        classes += type.__subclasses__(each)
        if made_router(each) is not None and (name in _OPTIONS or is_marked(each, name)):
            raise DeclarationError.at(
                f"{name_of(cls)}.{name}",
                f"it is set behind the registration of {name_of(each)}, whose routes would stay as they are",
                fix="set it in the class, or register a subclass that has it",
            )


def made_router(cls: type) -> APIRouter | None:
    """The routes of a controller class, if they were made; a copy of a class, as of `@dataclass(slots=True)`, has none yet."""
    made: tuple[object, APIRouter] | None = vars(cls).get(_ROUTER)
    return made[1] if made is not None and made[0] is cls else None


def _contract(cls: type, method: MarkedMethod, mark: WebSocketMark, handlers: session.Handlers | None) -> Contract:
    """What is declared of the sessions of one endpoint: by its mark, and by its controller."""
    where = place_of(cls)
    limits = given_limits(getattr(cls, "limits", None), where)
    return Contract(
        handlers=handlers,
        limits=given_limits(mark.limits, where).over(limits),
        outbox=messages.outbox_policy(getattr(cls, "outbox", "close"), f"{name_of(cls)}.outbox"),
        sends=accumulated(cls, "sends"),
        accept=mark.accept,
        type_arguments=type_arguments(cls, method.function),
        constructor=_constructor_annotations(cls),
        protocol=_protocol(cls),
        resume=_resume(cls),
    )


def _protocol(cls: type) -> messages.JsonRpc | None:
    given: object = getattr(cls, "protocol", None)
    if given is None or isinstance(given, messages.JsonRpc):
        return given
    raise DeclarationError.at(f"{name_of(cls)}.protocol", f"{given!r} is no protocol", fix="write protocol = JsonRpc()")


def _resume(cls: type) -> session.Resume | None:
    given: object = getattr(cls, "resume", None)
    where = f"{name_of(cls)}.resume"
    if given is None:
        return None
    if not isinstance(given, session.Resume):
        raise DeclarationError.at(where, f"{given!r} says nothing of resuming", fix="write resume = Resume()")
    if _protocol(cls) is not None:
        raise DeclarationError.at(where, "JSON-RPC has no frames for it", fix="leave resume or protocol out")
    return given


def _constructor_annotations(cls: type) -> list[Any]:
    constructor: Any = inspect.getattr_static(cls, "__init__")
    if not inspect.isfunction(constructor):
        return []
    signature = signature_of(constructor, type_arguments=type_arguments(cls, constructor))
    return [parameter.annotation for parameter in list(signature.parameters.values())[1:]]


def _require_generator(cls: type, methods: Sequence[MarkedMethod], handlers: session.Handlers | None) -> None:
    if handlers is None or any(kind_of(method.function) is Kind.ASYNC_GENERATOR for method in methods):
        return
    names = ", ".join(handler.name for handler in handlers.all)
    raise DeclarationError.at(
        place_of(cls),
        f"its handlers are never called ({names}): none of its endpoints yields",
        fix="yield once in the endpoint whose messages they handle: what is before it is set-up, what is behind it clean-up",
    )


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
        router = made_router(cls)
        if router is None:
            router = make_router(cls)
            setattr(cls, _ROUTER, (cls, router))
        return router

    def __setattr__(cls, name: str, value: Any) -> None:
        check_change(cls, name)
        super().__setattr__(name, value)


class Controller(metaclass=ControllerMeta):
    """A class whose `@websocket` methods are endpoints; one instance lives as long as one session.

    The constructor's parameters are filled by the same rules as those of an endpoint: services from the container, markers,
    path and query parameters. Inheritance is Python's own: an override keeps its path, `name = None` takes it away.

    Attributes:
        prefix: Put before the path of each endpoint; it may have parameters.
        dependencies: Run for each of its endpoints, before the constructor; those of base classes run first, always.
        limits: What its sessions may take; what is left out comes from the app.
        outbox: What happens to a message for which a slow client has no room, where its class says nothing.
        sends: Types that it sends outside of answers; those of base classes count too.
        protocol: What is spoken in place of flat frames: `JsonRpc()`.
        resume: Lets its sessions outlive their connections: `Resume()`.

    `async def around_message(self, message, call_next)`, if there is one, stands around all handlers: `await call_next(message)`
    gives what the handler returned, for a stream None behind its last item.
    """

    prefix: ClassVar[str] = ""
    dependencies: ClassVar[Sequence[Any]] = ()
    limits: ClassVar[Limits] = Limits()
    outbox: ClassVar[messages.OutboxPolicy] = "close"
    sends: ClassVar[Sequence[Any]] = ()
    protocol: ClassVar[messages.JsonRpc | None] = None
    resume: ClassVar[session.Resume | None] = None
