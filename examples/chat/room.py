"""One room: who is there and what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

from examples.chat.limits import Limits
from examples.chat.member import Member
from examples.chat.messages import Frame, Joined, Left, Renamed, Said, Welcome
from wscontrollers import WebSocketException, status


class Room:
    """Members who hear each other, and the last messages for those who come later."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.members: list[Member] = []
        self._size = limits.members
        self._history: deque[Said] = deque(maxlen=limits.history)

    @contextmanager
    def joined(self, member: Member) -> Generator[None]:
        """Take a member in for as long as the block runs; everyone else hears of both ends.

        Raises:
            WebSocketException: 1013, the room is full.
        """
        if len(self.members) >= self._size:
            raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER, "the room is full")
        member.name = self._free(member.name)
        self._publish(Joined(name=member.name))
        self.members.append(member)
        names = [each.name for each in self.members]
        member.post(Welcome(room=self.name, you=member.name, members=names, history=list(self._history)).model_dump_json())
        try:
            yield
        finally:
            self.members.remove(member)
            self._publish(Left(name=member.name))

    def say(self, said: Said) -> None:
        """Let everyone hear it, the speaker too, and remember it."""
        self._history.append(said)
        self._publish(said)

    def rename(self, member: Member, name: str) -> None:
        """Give a member another name; if that is taken, the next free one like it."""
        was, member.name = member.name, ""
        member.name = self._free(name)
        if member.name != was:
            self._publish(Renamed(name=member.name, was=was))

    def _publish(self, frame: Frame) -> None:
        text = frame.model_dump_json()
        for member in self.members:
            member.post(text)

    def _free(self, wish: str) -> str:
        taken = {member.name for member in self.members}
        return next(name for number in count(1) if (name := wish if number == 1 else f"{wish} ({number})") not in taken)
