"""What is declared of a group's presence: the type of what members know of each other, and how they hear of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf
from typing import Any, Generic, TypeVar, cast, overload

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, from_json, to_json

from ...callables import name_of
from ...exceptions import DeclarationError
from ...logs import logger_of
from .entry import Entry
from .present import Present

logger = logger_of("wscontrollers.groups")

InfoT = TypeVar("InfoT")

MAX_SIZE = 8 * 1024
"""Bytes of one session's info, as JSON: all other members are sent it."""


class PresenceOf(Generic[InfoT]):
    """What the members of a group know of each other, and how they hear of it.

        Group("room:{room}", presence=Who)                              # announced; who leaves has 2 s to come back
        Group("hall", presence=PresenceOf(Who, interval=5.0))           # a large one: every 5 s who came and left in them
        Group("web", presence=PresenceOf(Who, announce=False))          # nobody is told: only `groups.members()` tells

    Args:
        info: The type of what each session gives when it joins: a pydantic model, a dataclass, a TypedDict, or whatever pydantic
            can write as JSON and read again.
        announce: Whether the members are sent `presence` frames: on joining everybody who is there, then who comes and leaves.
        linger: Seconds in which a user who left can come back without anybody being told of either. Sessions of nobody have no
            such time.
        interval: Seconds whose comings and goings are told in one frame, where there are many; 0 tells each by itself.
        burst: How many frames may go at once before that, and again behind a time of quiet.

    Raises:
        DeclarationError: Pydantic can make nothing of the type.
        ValueError: `linger` or `interval` is below 0, or without end; `burst` is below 1.
    """

    __slots__ = ("_adapter", "announce", "burst", "info", "interval", "linger")

    @overload
    def __init__(
        self, info: type[InfoT], *, announce: bool = True, linger: float = 2.0, interval: float = 0.5, burst: int = 8
    ) -> None: ...

    @overload
    def __init__(
        self: PresenceOf[Any], info: Any, *, announce: bool = True, linger: float = 2.0, interval: float = 0.5, burst: int = 8
    ) -> None: ...

    def __init__(self, info: Any, *, announce: bool = True, linger: float = 2.0, interval: float = 0.5, burst: int = 8) -> None:
        for name, seconds in (("linger", linger), ("interval", interval)):
            if not 0 <= seconds < inf:
                raise ValueError(f"PresenceOf({name}={seconds!r}): it is no time to wait. Fix: give seconds of at least 0.")
        if burst < 1:
            raise ValueError(f"PresenceOf(burst={burst!r}): nobody would be told anything. Fix: give at least 1.")
        self.info = info
        self.announce = announce
        self.linger = linger
        self.interval = interval
        self.burst = burst
        try:
            self._adapter: TypeAdapter[InfoT] = TypeAdapter(info)
        except (PydanticSchemaGenerationError, PydanticUserError) as error:
            raise DeclarationError.at(
                f"presence={_named(info)}",
                f"it is no type that can be written and read: {error.message.partition('. ')[0]}",
                fix="give a pydantic model, a dataclass or a TypedDict: presence=Who",
            ) from None

    def written(self, info: Any, group: str) -> Any:
        """What a session gave, as JSON has it.

        Args:
            info: It.
            group: The group that it joins, for the error's text.

        Raises:
            TypeError: It is of another type than declared, or missing.
            ValueError: It cannot be written and read again, in all codecs, or is too long.
        """
        where, kind = f"Session.join({group!r})", _named(self.info)
        try:
            value = self._adapter.validate_python(info, strict=True)
        except ValidationError as error:
            what = "its presence is missing" if info is None else f"its presence is no {kind}: {_first(error)}"
            raise TypeError(f"{where}: {what}. Fix: give what the group declares: presence={kind}(...).") from None
        try:
            data = self._adapter.dump_json(value, by_alias=True)
            self._adapter.validate_json(data)
        except (PydanticSerializationError, ValidationError) as error:
            raise ValueError(
                f"{where}: what {kind} writes cannot be read again: {_first(error)}. Fix: let each field have one name and one "
                "form for both, in JSON."
            ) from None
        if len(data) > MAX_SIZE:
            raise ValueError(
                f"{where}: its presence is {len(data)} bytes long, and every member is sent it. Fix: keep it below {MAX_SIZE} "
                "bytes; give the id of a thing in place of the thing."
            )
        found = from_json(data, allow_inf_nan=False)
        if not _is_portable(found):
            raise ValueError(
                f"{where}: its presence has an integer of more than 64 bits, which not every codec can write. Fix: give it as a "
                "text."
            )
        return found

    def present(self, entries: Iterable[Entry]) -> list[Present[InfoT]]:
        """Sessions with what they gave, of its own type; one that was written for another type is left out and logged."""
        found: list[Present[InfoT]] = []
        for entry in entries:
            try:
                info = self._adapter.validate_json(to_json(entry.info))
            except ValidationError as error:
                logger.warning("presence: what session %s gave is no %s: %s", entry.session, _named(self.info), _first(error))
                continue
            found.append(Present(entry.session, entry.user, info, datetime.fromtimestamp(entry.since, UTC)))
        return found

    def __repr__(self) -> str:
        return f"PresenceOf({_named(self.info)})"


def _is_portable(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_portable(each) for each in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return all(_is_portable(each) for each in cast("Iterable[Any]", value))
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def _named(info: Any) -> str:
    return name_of(info) if isinstance(info, type) else repr(info)


def _first(error: ValidationError | PydanticSerializationError) -> str:
    if isinstance(error, PydanticSerializationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
