"""The controller: a session from its first frame to its last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from anyio.lowlevel import checkpoint
from pydantic import ValidationError

from examples.chat.clock import Clock
from examples.chat.lobby import Lobby
from examples.chat.member import Member
from examples.chat.messages import INCOMING, Join, Rename, Said, Say
from examples.chat.pace import Pace
from examples.chat.problems import problem_of
from examples.chat.room import Room
from wscontrollers import Controller, FirstMessage, Path, WebSocket, status, websocket

RoomName = Annotated[str, Path(pattern=r"^[\w-]{1,32}$")]


class Rooms(Controller):
    """Rooms where everyone hears everyone."""

    prefix = "/rooms"

    def __init__(self, lobby: Lobby, clock: Clock) -> None:
        self.lobby = lobby
        self.clock = clock

    @websocket("/{room}", name="room")
    async def enter(self, websocket: WebSocket, room: RoomName, join: Annotated[Join, FirstMessage(timeout=10)]) -> None:
        """Bring a member into a room. The handshake is accepted to receive the `join`, so a page can show why it failed."""
        here = self.lobby.room(room)
        member = Member(join.name, websocket, outbox=self.lobby.limits.outbox)
        with here.joined(member):
            await member.attend(lambda: self.listen(websocket, member, here))
        await member.part()

    async def listen(self, websocket: WebSocket, member: Member, here: Room) -> None:
        """Do what the member's frames say, until it leaves; a frame that cannot be used is answered, no more."""
        pace = Pace(self.lobby.limits)
        async for frame in frames(websocket):
            if not pace.allows_one_more():
                member.dismiss(status.WS_1008_POLICY_VIOLATION, "too many messages at once")
            await checkpoint()  # frames may come faster than anybody waits: the others get their turn
            try:
                message = INCOMING.validate_json(frame)
            except ValidationError as error:
                member.post(problem_of(error).model_dump_json())
                continue
            match message:
                case Say(text=text):
                    here.say(Said(name=member.name, text=text, at=self.clock.now()))
                case Rename(name=name):
                    here.rename(member, name)


async def frames(websocket: WebSocket) -> AsyncIterator[str | bytes]:
    """What the peer sends, text or binary, until it is gone."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        text: str | None = message.get("text")
        yield message["bytes"] if text is None else text
