"""What was sent in one place of a handshake, and how a value is found in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Json
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.datastructures import Headers, QueryParams

from .annotations import is_sequence

MISSING: Any = PydanticUndefined
"""What stands for a value that was not sent."""

Received = Mapping[str, Any]


def raw_value(values: Received, alias: str, *, sequence: bool) -> Any:
    """What was sent under a name: the last (of a header the first) occurrence, or all of them; `MISSING` if none was."""
    if sequence and isinstance(values, QueryParams | Headers):
        return values.getlist(alias) or MISSING
    value = values.get(alias)
    return MISSING if value is None else value


def hyphenated(name: str) -> str:
    """The header that a Python name stands for."""
    return name.replace("_", "-")


def is_json(info: FieldInfo) -> bool:
    """Whether one text is sent that holds JSON."""
    return any(item is Json or isinstance(item, Json) for item in info.metadata)  # type: ignore[misc]  # Json[T] to type checkers


def takes_all(info: FieldInfo) -> bool:
    """Whether all occurrences of a name are one value."""
    return is_sequence(info.annotation) and not is_json(info)
