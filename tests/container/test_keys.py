"""Keys: what is a builtin, and which classes can be made without a binding."""

from __future__ import annotations

import abc
import enum
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NewType, Protocol, TypedDict
from uuid import UUID

import pydantic.dataclasses
import pytest
from pydantic import BaseModel
from starlette.websockets import WebSocket

from wscontrollers.container import keys, session_type


class Service:
    """Can be made."""


@dataclass
class Settings:
    """A dataclass of services can be made."""

    service: Service


class Model(BaseModel):
    """Cannot."""


@pydantic.dataclasses.dataclass
class Point:
    """Cannot."""


class Color(enum.Enum):
    """Cannot."""


class Name(str):
    """Cannot."""

    __slots__ = ()


class Row(NamedTuple):
    """Cannot."""

    value: int


class Options(TypedDict):
    """Cannot."""


class Shape(Protocol):
    """Cannot."""


class Base(abc.ABC):
    """Cannot."""

    @abc.abstractmethod
    def method(self) -> None:
        """Nothing."""


@session_type
class Session:
    """Only a session supplies it."""


NamedService = NewType("NamedService", Service)
NamedText = NewType("NamedText", str)


@pytest.mark.parametrize("key", [Service, Settings, NamedService, Annotated[Service, "main"]])
def test_classes_of_the_users_own_can_be_made(key: Any) -> None:
    """Also below a NewType or `Annotated`, as injector has it."""
    assert keys.is_constructible(key)


@pytest.mark.parametrize(
    "key",
    [
        *(str, int, list[int], UUID, datetime, threading.Thread, Any, None, "Service", Service | None),
        *(Model, Point, Color, Name, Row, Options, Shape, Base, Session, WebSocket, NamedText, BaseModel),
    ],
)
def test_nothing_else_is_invented(key: Any) -> None:
    """Builtins, scalars, models, plain data, what is abstract, what is not the user's own, what a session supplies."""
    assert not keys.is_constructible(key)


def test_bare_builtins_say_nothing_about_what_is_meant() -> None:
    """A NewType, an `Annotated`, a subclass and a list of services do."""
    assert all(keys.is_builtin(key) for key in (str, int, UUID, datetime, type(Path()), list[str], dict[str, int], str | None))
    assert not any(keys.is_builtin(key) for key in (NamedText, Annotated[str, "x"], Name, Color, list[Service], Service, Model))
