"""One channel that is subscribed to: from what NATS delivers to what a listener is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Interest

from .engine import Arrival, Position
from .nats_stream import STUB
from .nats_subjects import KEPT, PLAIN
from .nats_wire import Wire


class _Numbered(NamedTuple):
    """A message as it was read.

    Attributes:
        epoch: Its numbering.
        kind: Whether it is kept.
        offset: Its number.
        before: The number of the one before it of the same channel and kind; 0 where none is there any more.
        data: What was published; None for a stub.
    """

    epoch: str
    kind: str
    offset: int
    before: int
    data: bytes | None


class Subscription:
    """A channel, over all connections that break.

    Attributes:
        channel: Its name.
        position: Behind it everything arrives, or has arrived; None while it never was confirmed.
        is_live: Whether messages are handed on; until it is, they wait.
        waiting: How many calls of `subscribe` are about to confirm it.

    Args:
        channel: Its name.
        arrived: Whom to tell of a message.
        noticed: Whom to tell of the place of each message as it comes, and whether it is of another numbering than the
            subscription: then messages wait until it is confirmed anew.
    """

    __slots__ = (
        *("_arrived", "_covered", "_interest", "_noticed", "_pending", "_wire"),
        *("channel", "is_live", "position", "waiting"),
    )

    def __init__(self, channel: str, arrived: Callable[[Arrival], None], noticed: Callable[[Position, bool], None]) -> None:
        self.channel = channel
        self.position: Position | None = None
        self.is_live = False
        self.waiting = 0
        self._arrived = arrived
        self._noticed = noticed
        self._wire: Wire | None = None
        self._interest: Interest | None = None
        self._pending: list[_Numbered] = []
        # Up to where nothing is missing, for each kind: a message names the one before it of its own kind.
        self._covered: dict[str, int] = {}

    async def attach(self, wire: Wire, subject: str) -> None:
        """Have the server send its messages; they wait here."""
        if self._wire is not wire:
            self.detach()
            self._wire = wire
            self._interest = await wire.subscribe(subject, self._take)

    def detach(self) -> None:
        """The connection is no more."""
        self._wire = self._interest = None
        self._pending.clear()
        self.is_live = False

    async def end(self) -> None:
        """Have no messages any more."""
        wire, interest = self._wire, self._interest
        self.detach()
        if wire is not None and interest is not None:
            await wire.unsubscribe(interest)

    def is_on(self, wire: Wire) -> bool:
        """Whether a connection is where its messages come from."""
        return self._wire is wire

    def pause(self) -> None:
        """Let messages wait, until it begins again."""
        self.is_live = False

    def begin(self, position: Position, stub: int = -1) -> None:
        """Hand on what is behind a position, from now on; what waits first.

        Args:
            position: The place.
            stub: The number of the stub of the last message that is not kept, if it has one.
        """
        self.position = position
        self._covered = {KEPT: position.offset, PLAIN: max(position.offset, stub)}
        pending, self._pending = self._pending, []
        self.is_live = True
        for message in pending:
            if message.epoch == position.epoch:
                self._hand_on(message, self.position.offset)

    def _take(self, message: Msg) -> None:
        headers = message.headers
        if headers is None or "Nats-Sequence" not in headers:
            return  # somebody else publishes here; it has no number
        _, _, epoch, kind, _ = message.subject.split(".", 4)
        # The first number of a stream is 1, and belongs to the message that begins it.
        place = Position(epoch, int(headers["Nats-Sequence"]) - 1)
        data = None if STUB in headers else message.data
        numbered = _Numbered(epoch, kind, place.offset, int(headers["Nats-Last-Sequence"]) - 1, data)
        position = self.position
        is_strange = position is not None and position.epoch != epoch
        if is_strange:
            self.pause()
        if self.is_live and position is not None:
            self._hand_on(numbered, position.offset)
        else:
            self._pending.append(numbered)
        self._noticed(place, is_strange)

    def _hand_on(self, message: _Numbered, last: int) -> None:
        epoch, kind, offset, before, data = message
        if offset <= last:
            return  # it was counted already when the position was asked for
        if data is None:
            if before <= self._covered[kind]:
                self._covered[kind] = max(self._covered[kind], offset)  # else the message in whose place it is is missing
            return
        previous = last
        if before > self._covered[kind]:
            previous = max(before, last + 1)
        self._covered[kind] = offset
        self.position = Position(epoch, offset)
        self._arrived(Arrival(self.channel, data, self.position, previous))
