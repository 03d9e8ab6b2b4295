"""All rooms: the one thing that sessions share."""

from __future__ import annotations

from examples.chat.limits import Limits
from examples.chat.room import Room
from wscontrollers import WebSocketException, singleton, status


@singleton
class Lobby:
    """Finds rooms by name, and opens them when somebody asks for them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._rooms: dict[str, Room] = {}

    def room(self, name: str) -> Room:
        """The room of this name. An empty one is forgotten with its history when a new one needs its place.

        Raises:
            WebSocketException: 1013, there are members in as many rooms as there may be.
        """
        if name not in self._rooms:
            if len(self._rooms) >= self.limits.rooms:
                self._forget_one()
            self._rooms[name] = Room(name, self.limits)
        return self._rooms[name]

    def _forget_one(self) -> None:
        empty = next((name for name, room in self._rooms.items() if not room.members), None)
        if empty is None:
            raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER, "there are too many rooms")
        del self._rooms[empty]
