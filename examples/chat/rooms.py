"""The rooms: groups, of which nothing is kept in the process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Annotated

from pydantic import BaseModel

from examples.chat.messages import IsTyping, Said
from wscontrollers import Group, Groups, History, Path, WebSocketException, group, status

RoomName = Annotated[str, Path(pattern=r"^[\w-]{1,32}$")]


class Who(BaseModel):
    """What members know of each other."""

    name: str


@dataclass(frozen=True)
class Space:
    """Bounds of a room; bind another instance in the container to change them.

    Attributes:
        members: Sessions in one room; a few more where several come at once.
    """

    members: int = 100


@group("room:{room}", history=History(size=200, age=3600), presence=Who, sends=[Said])
async def room(room: RoomName, groups: Groups, space: Space) -> None:
    """Let a member in, if there is space.

    Raises:
        WebSocketException: 1013, the room is full.
    """
    if await groups.count(f"room:{room}") >= space.members:
        raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER, "the room is full")


ROOMS = (room, Group("typing:{room}", sends=[IsTyping]))


def free(wish: str, taken: Collection[str]) -> str:
    """A name like the one that is wished, and that nobody has."""
    return next(name for number in count(1) if (name := wish if number == 1 else f"{wish} ({number})") not in taken)
