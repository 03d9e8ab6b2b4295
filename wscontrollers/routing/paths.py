"""Paths: what a prefix may be, and whether one pattern takes all the paths of another."""

from __future__ import annotations

import re
from typing import Any, cast

from starlette.convertors import Convertor
from starlette.routing import PARAM_REGEX, compile_path

from ..exceptions import RouteError
from ..records import Record


def checked_prefix(prefix: str, where: str) -> str:
    """The prefix, if it is one.

    Raises:
        RouteError: It is no text, does not start with a slash, or ends with one.
    """
    if not isinstance(cast(object, prefix), str):
        raise RouteError.at(where, f"the prefix {prefix!r} is no text", fix='write "/rooms", or "" for none')
    if prefix and not prefix.startswith("/"):
        raise RouteError.at(where, f"the prefix {prefix!r} does not start with a slash", fix=f'write "/{prefix}"')
    if prefix.endswith("/"):
        raise RouteError.at(
            where,
            f"the prefix {prefix!r} ends with a slash, and the paths behind it start with one",
            fix=f'write "{prefix.rstrip("/")}"',
        )
    return prefix


def compiled(path: str, where: str) -> tuple[re.Pattern[str], str, dict[str, Convertor[Any]]]:
    """The pattern of a whole path, its format and its convertors.

    Raises:
        RouteError: The path is empty, does not start with a slash, names a parameter twice or an unknown convertor.
    """
    if not path.startswith("/"):
        what = "the prefix and the path are both empty" if not path else f"the path {path!r} does not start with a slash"
        raise RouteError.at(where, what, fix='start it with "/"')
    try:
        return compile_path(path)
    except (AssertionError, ValueError) as error:
        raise RouteError.at(
            where, f"the path {path!r} cannot be used: {error}", fix="name each parameter once, with a known convertor"
        ) from error


class _Segment(Record):
    """One segment of a path: a text, one parameter, or a mix of both."""

    text: str
    convertor: str | None


def takes_all_of(earlier: str, later: str) -> bool:
    """Whether every path that the later pattern matches is matched by the earlier one, which is asked first.

    Segments that mix text and parameters are compared as they are written; for these the answer may be no where it is yes.
    """
    return _covers(_segments(earlier), _segments(later))


def _segments(path: str) -> list[_Segment]:
    segments: list[_Segment] = []
    for part in path.split("/")[1:]:
        match = PARAM_REGEX.fullmatch(part)
        if match is not None:
            segments.append(_Segment("", _convertor(match)))
        else:
            segments.append(_Segment(PARAM_REGEX.sub(lambda found: "{:" + _convertor(found) + "}", part), None))
    return segments


def _convertor(parameter: re.Match[str]) -> str:
    return (parameter.group(2) or ":str").removeprefix(":")


def _covers(earlier: list[_Segment], later: list[_Segment]) -> bool:
    if not earlier or not later:
        return not earlier and not later
    if earlier[0].convertor == "path":
        # It takes any rest, slashes too; only what stands behind it has to be at the end of the other pattern as well.
        behind = earlier[1:]
        return not behind or (len(later) > len(behind) and _covers(behind, later[len(later) - len(behind) :]))
    return _covers_segment(earlier[0], later[0]) and _covers(earlier[1:], later[1:])


_PATTERNS = {"str": "[^/]+", "int": "[0-9]+", "float": r"[0-9]+(\.[0-9]+)?"}
_WITHIN = {"str": {"str", "int", "float", "uuid"}, "float": {"float", "int"}}


def _covers_segment(earlier: _Segment, later: _Segment) -> bool:
    if earlier == later:
        return True
    if earlier.convertor is None:
        return False
    if later.convertor is not None:
        return later.convertor in _WITHIN.get(earlier.convertor, {earlier.convertor})
    pattern = _PATTERNS.get(earlier.convertor)
    if "{" in later.text:  # text and parameters together are never empty and never hold a slash, unless one is a path
        return earlier.convertor == "str" and "{:path}" not in later.text
    return pattern is not None and re.fullmatch(pattern, later.text) is not None
