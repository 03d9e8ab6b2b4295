"""Who fills a parameter: `Path`, `Query`, `Header`, `Cookie`, `FirstMessage`, `Depends` and `Security`.

They stand in `Annotated[int, Query(le=100)]` or as a default, `limit: int = Query(10, le=100)`. They return `Any`, so that a
type checker takes them as the default of a parameter of any type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from pydantic_core import PydanticUndefined

from .markers import (
    DEFAULT_TIMEOUT,
    CookieParam,
    Dependency,
    DependencyScope,
    FirstMessageParam,
    HeaderParam,
    PathParam,
    QueryParam,
    SecurityDependency,
)

__all__ = ["Cookie", "Depends", "FirstMessage", "Header", "Path", "Query", "Security"]

# The names are FastAPI's, which are capitalised although they are functions.
# ruff: noqa: N802

if TYPE_CHECKING:
    from .field_options import FieldOptions


def Path(default: Any = ..., *, include_in_schema: bool = True, **options: Unpack[FieldOptions]) -> Any:
    """A parameter from the path, `"/rooms/{room}"`; the keywords are those of `pydantic.Field`.

    Args:
        default: Only `...`; a path always has a value.
        include_in_schema: Whether documents made of the route show it.

    Raises:
        DeclarationError: A default was given.
    """
    return PathParam(default, include_in_schema=include_in_schema, **options)


def Query(default: Any = PydanticUndefined, *, include_in_schema: bool = True, **options: Unpack[FieldOptions]) -> Any:
    """A parameter from the query string; the keywords are those of `pydantic.Field`.

    A scalar takes the last occurrence, a list all of them; a pydantic model takes its fields from the query.
    """
    return QueryParam(default, include_in_schema=include_in_schema, **options)


def Header(
    default: Any = PydanticUndefined,
    *,
    convert_underscores: bool = True,
    include_in_schema: bool = True,
    **options: Unpack[FieldOptions],
) -> Any:
    """A parameter from the headers; the keywords are those of `pydantic.Field`.

    Args:
        default: Used when the header is not sent.
        convert_underscores: Whether `user_agent` stands for the header `user-agent`; an alias is always taken as it is.
        include_in_schema: Whether documents made of the route show it.
    """
    return HeaderParam(default, convert_underscores=convert_underscores, include_in_schema=include_in_schema, **options)


def Cookie(default: Any = PydanticUndefined, *, include_in_schema: bool = True, **options: Unpack[FieldOptions]) -> Any:
    """A parameter from the cookies; the keywords are those of `pydantic.Field`."""
    return CookieParam(default, include_in_schema=include_in_schema, **options)


def FirstMessage(*, timeout: float | None = DEFAULT_TIMEOUT, raw: bool = False, **options: Unpack[FieldOptions]) -> Any:
    """The first frame of the session: the handshake is accepted, the frame received, validated and injected.

    Browsers cannot send headers with a handshake, so many protocols authenticate this way. The frame is JSON in a text frame
    (or UTF-8 in a binary one). A single parameter of this kind takes the whole frame; several, in one session, each take the
    field of their name; those of one name, in different functions, are one. A whole frame that is a `Message` has its tag. Too
    late, undecodable, no JSON or of another shape: the session is closed with 1008.

    Args:
        timeout: Seconds to wait for the frame; `None` waits without a limit. Parameters that say it say the same.
        raw: Give the frame as it came, `str` or `bytes`, instead of reading it as JSON; the others read it as if this one were
            not there.

    Raises:
        DeclarationError: The timeout is no number above 0.
    """
    return FirstMessageParam(timeout=timeout, raw=raw, **options)


def Depends(
    dependency: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: DependencyScope | None = None,
    max_concurrency: int | None = None,
    thread: bool | None = None,
) -> Any:
    """A parameter whose value is what a callable returns, yields or awaits; its own parameters are filled in the same way.

    Args:
        dependency: The callable; left out, it is the class that annotates the parameter.
        use_cache: Whether one value serves all who depend on the callable in one session.
        scope: When a generator cleans up: `"function"`, right after the endpoint, or `"request"` (the default for
            generators), after those.
        max_concurrency: How many calls of this declaration may run at once.
        thread: Whether a plain function runs in a worker thread, because it may block; `None` follows the app's
            `sync_dependencies`, which is a thread by default.

    Raises:
        DeclarationError: The scope has another value.
        ValueError: `max_concurrency` is no positive integer.
    """
    return Dependency(dependency, use_cache, scope, max_concurrency=max_concurrency, thread=thread)


def Security(
    dependency: Callable[..., Any] | None = None,
    *,
    scopes: Sequence[str] | None = None,
    use_cache: bool = True,
) -> Any:
    """`Depends` with security scopes, which a parameter of type `SecurityScopes` below it receives.

    Args:
        dependency: The callable; left out, it is the class that annotates the parameter.
        scopes: The scopes that are asked for here, for example `["rooms:read"]`.
        use_cache: Whether one value serves all who depend on the callable with the same scopes in one session.
    """
    return SecurityDependency(dependency, use_cache, scopes=list(scopes) if scopes is not None else None)
