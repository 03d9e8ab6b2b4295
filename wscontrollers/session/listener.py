"""What comes in to a session beside its messages: control frames, replies, and events for who reads its WebSocket."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ..messages import Credit, FrameError, Incoming, Recover, Reply
from .controls import Controls
from .fate import Fate
from .intake import Intake
from .memberships import Memberships
from .owner import Frame
from .wire import Wire


class Listener(Fate):
    """The part of a session that hears its client; `Life` is the whole of it.

    Attributes:
        wire: What the endpoint's sessions speak.
        intake: What looks at each frame as it comes.
        controls: Who deals with control frames.
    """

    __slots__ = ("controls", "intake", "wire")

    wire: Wire
    intake: Intake
    controls: Controls

    @abstractmethod
    def start(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task that ends with the session."""
        ...

    @property
    @abstractmethod
    def memberships(self) -> Memberships:
        """The groups that it is in."""
        ...

    def owes(self, incoming: Incoming) -> bool:
        """Whether this side gave occasion to a control frame or a reply, which counts as no message of the client's then."""
        message = incoming.message
        if isinstance(message, Reply):
            return self.questions.owes()
        return isinstance(message, Credit) and self.controls.owes()

    def controlled(self, incoming: Incoming) -> None:
        """Deal with a control frame or a reply."""
        message = incoming.message
        if isinstance(message, Reply):
            try:
                self.questions.answer(incoming.re, message.frame)
            except FrameError as error:
                self.intake.refuse(error)
        elif isinstance(message, Recover):
            self.start(self.memberships.recover, message.marks)
        else:
            self.controls.control(message)

    def keep(self, messages: deque[Incoming]) -> None:
        """Have the messages of one frame wait for their turn."""
        self.reading.keep(messages)

    async def next_event(self) -> Frame:
        """The next ASGI event, for who reads the WebSocket itself."""
        event: Frame | None = await self.reading.next()
        if event is not None:
            return event
        ended = self.ended
        assert ended is not None
        return {"type": "websocket.disconnect", "code": ended.code, "reason": ended.reason}

    # Before the accept

    def leave_accept(self) -> None:
        """Leave the accept to the endpoint; before it nothing can be received."""
        if self.websocket.is_connecting and self.wire.incoming is not None:
            self.reading.receive = self._first_event

    async def _first_event(self) -> Frame:
        if self.websocket.is_connecting:
            raise RuntimeError(
                "Session: nothing can be received before the handshake is accepted. Fix: with accept=False call "
                "session.accept() first."
            )
        self.reading.receive = receive = self.websocket.receive_event
        return await receive()
