"""The controller: what a member may do in a room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any

from examples.chat.clock import Clock
from examples.chat.messages import Accepted, Earlier, Entered, IsTyping, Name, Rename, Said, Say, Typing
from examples.chat.rooms import RoomName, Who, free
from wscontrollers import Controller, Groups, Message, Query, Session, WebSocketException, receive, status, websocket
from wscontrollers.exceptions import EngineDownError

Key = Annotated[str, Query(min_length=16, max_length=64)]
"""A secret of one page: who comes back with it is the same member."""


class NameTakenError(Exception):
    """Somebody else in the room has that name: the error `name_taken` on the wire."""


class OutOfReachError(Exception):
    """What carries the rooms does not answer: the error `out_of_reach` on the wire."""


class Chat(Controller):
    """Rooms where everyone hears everyone, whatever process they are in. One instance is one member."""

    prefix = "/rooms"
    sends = (Entered, Said, IsTyping)

    def __init__(
        self,
        groups: Groups,
        clock: Clock,
        session: Session[Any, Entered],
        room: RoomName,
        name: Annotated[Name, Query()],
        key: Key,
    ) -> None:
        self.groups = groups
        self.clock = clock
        self.session = session
        self.title = room
        self.room, self.typists = f"room:{room}", f"typing:{room}"
        self.name = name
        self.user = sha256(key.encode()).hexdigest()[:16]  # members see each other's ids, and must not learn the key from them

    @websocket("/{room}", name="room")
    async def enter(self) -> AsyncIterator[None]:
        """Bring a member into a room; the groups see to it that it leaves when the session ends, whatever ends it."""
        try:
            await self._enter()
        except EngineDownError:
            raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER, "the rooms are out of reach") from None
        yield

    async def _enter(self) -> None:
        await self.session.identify(self.user)
        self.name = free(self.name, await self._taken())
        joined = await self.session.join(self.room, presence=Who(name=self.name))  # sends what `?recover=` asks for
        await self.session.join(self.typists)
        await self.session.send(Entered(room=self.title, you=self.name, since=joined.mark))

    async def around_message(self, message: Message, call_next: Callable[[Message], Awaitable[Any]]) -> Any:
        """Say what a member can do while the engine is away, and not where it is."""
        try:
            return await call_next(message)
        except EngineDownError:
            raise OutOfReachError("the rooms are out of reach, try again later") from None

    @receive(raises=[OutOfReachError])
    async def say(self, message: Say) -> Accepted:
        """Everyone hears it, the speaker too."""
        await self.groups.publish(self.room, Said(name=self.name, text=message.text, at=self.clock.now()))
        return Accepted()

    @receive(raises=[NameTakenError, OutOfReachError])
    async def rename(self, message: Rename) -> None:
        """Everyone hears of it."""
        if message.name in await self._taken():
            raise NameTakenError(f"somebody here is called {message.name}")
        await self.session.join(self.room, presence=Who(name=message.name))
        self.name = message.name

    @receive
    async def typing(self, message: Typing) -> None:
        """The others hear of it, if they can be reached."""
        with suppress(EngineDownError):
            await self.groups.publish(self.typists, IsTyping(name=self.name), exclude=self.session)

    @receive(raises=[OutOfReachError])
    async def earlier(self, message: Earlier) -> AsyncIterator[Said]:
        """Stream what is kept, from the newest to the oldest, as fast as the page reads: without what came behind the mark, for
        that was heard."""
        kept = await self.groups.history(self.room)
        later = {each.mark for each in await self.groups.history(self.room, since=message.until)}
        for each in reversed(kept):
            if each.mark not in later:
                yield each.message

    async def _taken(self) -> set[str]:
        # Two who ask in the same moment both find a name free, and both get it: here or in two processes. To rule that out, a
        # database would have to give the names away. Here it does no harm: who somebody is, is told by `user`.
        return {member.info.name for member in await self.groups.members(self.room) if member.user != self.user}
