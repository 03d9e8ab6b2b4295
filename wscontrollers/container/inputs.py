"""What only a handshake can supply to a provider or a constructor."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

from wscontrollers.callables import name_of, unaliased
from wscontrollers.container.keys import is_session_type, without_marks
from wscontrollers.markers import Marker


class Input:
    """A parameter that the planner fills from the handshake before the factory that needs it runs.

    Compared by identity: there is one for each parameter of each callable in a container.
    """

    __slots__ = ("annotation", "default", "name", "owner")

    def __init__(self, name: str, annotation: Any, default: Any, owner: Callable[..., Any]) -> None:
        self.name = name
        self.annotation = annotation
        self.default = default
        self.owner = owner

    def __str__(self) -> str:
        return f"{self.name}: {name_of(self.annotation)}"


def is_input(annotation: Any, default: Any) -> bool:
    """Whether a parameter carries one of our markers, in `Annotated` or as its default, or asks for a type of the session."""
    annotation = unaliased(annotation)
    metadata = typing.get_args(annotation)[1:] if typing.get_origin(annotation) is typing.Annotated else ()
    return (
        isinstance(default, Marker)
        or any(isinstance(item, Marker) for item in metadata)
        or is_session_type(without_marks(annotation))
    )
