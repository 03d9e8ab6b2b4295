"""What the functions of `params` return: the marks that say who fills a parameter.

Users call `Query()`, `Depends()` and their like (module `params`); the rooms that read signatures ask for these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Literal, cast

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from .exceptions import DeclarationError

DependencyScope = Literal["function", "request"]


class Marker:
    """The base of every mark that a parameter can carry."""

    __slots__ = ()


class Place(Enum):
    """The part of a handshake in which a parameter is sent; its value is the first item of an error's `loc`."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    MESSAGE = "message"


class Param(FieldInfo, Marker):  # type: ignore[misc]  # pydantic calls the class final for subclasses that change it; this one adds a place
    """A parameter that is sent with the handshake, or as its first message."""

    place: ClassVar[Place]

    def __init__(self, default: Any = PydanticUndefined, *, include_in_schema: bool = True, **options: Any) -> None:
        self.include_in_schema = include_in_schema
        alias = options.get("alias")
        if alias is not None:
            for other in ("serialization_alias", "validation_alias"):
                if options.get(other) is None:
                    options[other] = alias
        super().__init__(default=default, **options)

    def __repr__(self) -> str:
        given = "" if self.default is PydanticUndefined else repr(self.default)
        return f"{type(self).__name__.removesuffix('Param')}({given})"


class PathParam(Param):  # type: ignore[misc]  # see Param
    """What `Path()` returns."""

    place = Place.PATH

    def __init__(self, default: Any = ..., **options: Any) -> None:
        if default is not ... and default is not PydanticUndefined:
            raise DeclarationError.at(
                "Path()",
                f"a path parameter cannot have a default, got {default!r}",
                fix="leave the default out: the path always has a value",
            )
        super().__init__(**options)


class QueryParam(Param):  # type: ignore[misc]  # see Param
    """What `Query()` returns."""

    place = Place.QUERY


class HeaderParam(Param):  # type: ignore[misc]  # see Param
    """What `Header()` returns."""

    place = Place.HEADER

    def __init__(self, default: Any = PydanticUndefined, *, convert_underscores: bool = True, **options: Any) -> None:
        self.convert_underscores = convert_underscores
        super().__init__(default, **options)


class CookieParam(Param):  # type: ignore[misc]  # see Param
    """What `Cookie()` returns."""

    place = Place.COOKIE


class _Unsaid(float):
    """A number of seconds that nobody said."""


DEFAULT_TIMEOUT: float = _Unsaid(10.0)
"""How long a first message is waited for where nothing is said."""


class FirstMessageParam(Param):  # type: ignore[misc]  # see Param
    """What `FirstMessage()` returns: the parameter is the first frame that the peer sends."""

    place = Place.MESSAGE

    def __init__(
        self, default: Any = PydanticUndefined, *, timeout: float | None = DEFAULT_TIMEOUT, raw: bool = False, **options: Any
    ) -> None:
        if timeout is not None and (not isinstance(cast(object, timeout), int | float) or timeout is True or not timeout > 0):
            raise DeclarationError.at(
                "FirstMessage()", f"timeout is {timeout!r}", fix="give seconds above 0, or None to wait without a limit"
            )
        self.timeout = timeout
        self.raw = raw
        super().__init__(default, **options)


class ConcurrencyLimit:
    """How many calls of one declaration may run at once, in one event loop; compared by identity."""

    __slots__ = ("__weakref__", "calls")

    def __init__(self, calls: int) -> None:
        self.calls = calls


@dataclass(frozen=True)
class Dependency(Marker):
    """What `Depends()` returns."""

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True
    scope: DependencyScope | None = None
    scopes: Sequence[str] | None = None
    """Security scopes; None for what is no `Security()`."""
    max_concurrency: int | None = field(default=None, kw_only=True)
    thread: bool | None = field(default=None, kw_only=True)
    # A field of the constructor, so that a copy by dataclasses.replace shares the limit of its original.
    limit: ConcurrencyLimit | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.scope not in (None, "function", "request"):
            raise DeclarationError.at("Depends()", f"scope is {self.scope!r}", fix='use "function", "request" or leave it out')
        if self.max_concurrency is None:
            object.__setattr__(self, "limit", None)
            return
        if type(self.max_concurrency) is not int or self.max_concurrency < 1:
            raise ValueError("Depends(): max_concurrency must be a positive integer or None. Fix: give how many may run at once.")
        if self.limit is None or self.limit.calls != self.max_concurrency:
            object.__setattr__(self, "limit", ConcurrencyLimit(self.max_concurrency))


class SecurityDependency(Dependency):
    """What `Security()` returns: a dependency with the scopes that it asks for."""


def listed(dependencies: Any, where: str) -> list[Dependency]:
    """The `dependencies=` that somebody gave, as a list; what is in it is looked at with the signatures.

    Raises:
        DeclarationError: It is no list, as `(Depends(login))` without a comma.
    """
    if dependencies is None:
        return []
    if isinstance(dependencies, str | Marker) or not isinstance(dependencies, Iterable):
        kind = "Depends(...)" if isinstance(dependencies, Dependency) else type(cast(object, dependencies)).__name__
        raise DeclarationError.at(where, f"{kind} is no list of dependencies", fix="write [Depends(...)]")
    return list(cast("Iterable[Dependency]", dependencies))
