"""What a subscriber knows: what it heard, and what it knows that it missed."""

from __future__ import annotations

from wscontrollers.groups.engines.engine import Arrival, EngineState, Position


class Ledger:
    """A listener of one channel that believes nothing: what is not heard must be known as missed.

    Args:
        begin: Where its subscription began.

    Attributes:
        heard: The messages, by their place.
        gaps: From behind which place to which something may be missing.
        faults: What must not be: twice, or out of order.
        last: The last place that it knows of.
        state: How the engine is.
    """

    def __init__(self) -> None:
        self.last: Position | None = None
        self.heard: dict[Position, bytes] = {}
        self.gaps: list[tuple[Position, Position]] = []
        self.faults: list[str] = []
        self.state = EngineState.UP

    def begin(self, position: Position) -> None:
        """The subscription begins here."""
        self.last = position

    def arrived(self, arrival: Arrival) -> None:
        last, here = self.last, arrival.position
        assert last is not None
        if here.epoch == last.epoch and here.offset <= last.offset:
            if here in self.heard:
                self.faults.append(f"{here} came twice")
            return
        if here.epoch != last.epoch or arrival.previous != last.offset:
            self.gaps.append((last, Position(here.epoch, arrival.previous)))
        self.heard[here] = arrival.data
        self.last = here

    def resumed(self, channel: str, position: Position) -> None:
        assert self.last is not None
        if position.epoch == self.last.epoch and position.offset <= self.last.offset:
            return
        self.gaps.append((self.last, position))
        self.last = position

    def changed(self, state: EngineState, reason: str) -> None:
        self.state = state

    def knows(self, position: Position) -> bool:
        """Whether a message was heard, or is known as missed."""
        return position in self.heard or any(_is_in(position, *gap) for gap in self.gaps)


def _is_in(position: Position, begin: Position, end: Position) -> bool:
    if begin.epoch == end.epoch:
        return position.epoch == begin.epoch and begin.offset < position.offset <= end.offset
    if position.epoch == begin.epoch:
        return position.offset > begin.offset
    # One of an epoch in between, which nobody here ever saw, is behind the one and before the other too.
    return position.epoch != end.epoch or position.offset <= end.offset
