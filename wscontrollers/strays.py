"""Markers that would mark nothing: FastAPI's own, those that were not called, and those inside of a union.

Passed over in silence they are a hole: `user: Annotated[User, fastapi.Depends(login)]` would be a `User` of the container's,
and nobody would have logged in.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from . import params
from .callables import name_of, unaliased
from .markers import Dependency, Marker, Param

_UNCALLED = {getattr(params, name): name for name in params.__all__}


def stray_marker(annotation: Any, default: Any) -> tuple[str, str] | None:
    """What is wrong with the marker of a parameter, and the fix; None where it is in its place or where there is none.

    Args:
        annotation: Evaluated as far as it can be.
        default: The parameter's default, whatever it is.
    """
    annotation = unaliased(annotation)
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    nested = list(_nested(annotation))
    for item in (*metadata, default, *nested):
        told = _told(item)
        if told is not None:
            return told
    for item in nested:
        if isinstance(item, Marker):
            kind = "Depends" if isinstance(item, Dependency) else type(item).__name__.removesuffix("Param")
            return f"{kind}() stands inside of the type, where it marks nothing", f"write Annotated[... | None, {kind}(...)]"
    return None


def _told(item: Any) -> tuple[str, str] | None:
    name = _uncalled(item)
    if name is not None:
        return f"{name} is not called, so it marks nothing", f"write {name}(...)"
    if type(item).__module__.startswith("fastapi."):
        name = type(item).__name__
        return f"{name} is FastAPI's, which means nothing here", f"write from wscontrollers import {name}"
    return None


def _uncalled(item: Any) -> str | None:
    if isinstance(item, types.FunctionType):
        return _UNCALLED.get(item)
    return name_of(item) if isinstance(item, type) and issubclass(item, Marker) else None


def _nested(annotation: Any) -> Iterator[Any]:
    """What is noted below the outermost `Annotated`; a constraint of a list's items, as `Query(le=5)` may be, is left out."""
    inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    is_union = get_origin(inner) in (Union, types.UnionType)
    for member in map(unaliased, get_args(inner)):
        if get_origin(member) is Annotated:
            yield from (item for item in get_args(member)[1:] if is_union or not isinstance(item, Param))
        if get_origin(member) is not None:
            yield from _nested(member)
