"""What a session has to say: answers, errors and control frames on their way into its outbox."""

from __future__ import annotations

from typing import Any

from ..messages import ControlFrame, ErrorFrame, Gap, Ref
from .delivering import Deliveries
from .delivery import Delivery
from .framing import Framing
from .outbox import Outbox
from .owner import Frame
from .wire import event_of


class Speaker:
    """The part of a session that speaks; `Life` is the whole of it.

    Attributes:
        framing: How it does.
        outbox: Where its frames go.
    """

    __slots__ = ("_deliveries", "framing", "outbox")

    framing: Framing
    outbox: Outbox
    _deliveries: Deliveries | None

    async def answer(self, value: Any, ref: Ref | None) -> Delivery:
        """Send what answers a message: a handler's result; None where there is nothing to say but that it was done."""
        frame = self.framing.answer(value, ref)
        if frame is None:
            return Delivery.SENT
        return await (self.deliver if self.framing.must_arrive else self.outbox.send)(*event_of(frame))

    async def answer_end(self, ref: Ref) -> Delivery:
        """Send the end of the stream that answers a message; it arrives, and no other answer takes its place."""
        return await self.arrive(self.framing.end(ref))

    async def answer_error(self, error: ErrorFrame) -> Delivery:
        """Send what went wrong with a message; it arrives, and no other answer takes its place."""
        return await self.arrive(self.framing.error(error))

    async def arrive(self, frame: str | bytes | None) -> Delivery:
        """Send what answers a message for good: a handler that is cancelled meanwhile is cancelled too late."""
        return Delivery.SENT if frame is None or self.outbox.write(frame) else await self.deliver(*event_of(frame))

    async def deliver(self, frame: Frame, size: int) -> Delivery:
        """Send an answer that is not lost when its handler is cancelled meanwhile; only the end of the session gives it up."""
        if self._deliveries is None:
            self._deliveries = Deliveries(self.outbox)
        return await self._deliveries.send(frame, size)

    def tell(self, frame: ControlFrame) -> None:
        """Send a control frame without waiting."""
        told = self.framing.control(frame)
        if told is not None:
            self.outbox.send_nowait(*event_of(told))

    def gap(self, dropped: int) -> Frame | None:
        """The frame that tells the peer how many messages it lost."""
        return self.written(Gap(dropped, "slow"))

    def written(self, frame: ControlFrame) -> Frame | None:
        """A control frame as an ASGI event; None where the session cannot say it."""
        told = self.framing.control(frame)
        return None if told is None else event_of(told)[0]

    def give_up(self) -> None:
        """Let go of the answers that are being delivered."""
        if self._deliveries is not None:
            self._deliveries.give_up()
