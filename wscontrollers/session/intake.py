"""What comes in from a peer: counted, bounded, read; what is wrong is answered, and too much of it ends the session."""

from __future__ import annotations

import logging
from math import inf
from secrets import token_hex
from typing import Any, Protocol

from ..messages import Cancel, Credit, ErrorFrame, FrameError, Incoming, Recover, Reply
from .clock import Clock
from .limits import Limits
from .rate import TokenBucket
from .reading import Frame
from .wire import Read

_CONTROLS = frozenset({Cancel, Credit, Recover, Reply})

TOO_BIG = 1009
POLICY_VIOLATION = 1008

logger = logging.getLogger("wscontrollers.session")


class Receiver(Protocol):
    """Whose frames they are: a session."""

    def tell(self, frame: ErrorFrame) -> None:
        """Send an error frame without waiting."""
        ...

    def stop(self, code: int, reason: str) -> None:
        """End the session."""
        ...

    def departed(self, code: int, reason: str) -> None:
        """The peer is gone."""
        ...

    def controlled(self, incoming: Incoming) -> None:
        """Deal with a control frame or a reply."""
        ...


class Intake:
    """Reads each frame as it arrives.

    Args:
        receiver: Whose frames they are.
        limits: What a session may take.
        clock: The time.
        read: Turns a frame into a message; None hands frames over as they are.

    Attributes:
        last: The clock's seconds at the last frame.
    """

    __slots__ = ("_bad", "_bad_in_a_row", "_bucket", "_clock", "_limits", "_quick", "_read", "_receiver", "last")

    def __init__(self, receiver: Receiver, limits: Limits, clock: Clock, read: Read | None) -> None:
        self._receiver = receiver
        self._read = read
        self._limits = limits
        self._clock = clock
        self._quick = inf if limits.message is None else limits.message
        self.last = clock.now()
        self._bucket = None if limits.rate is None else TokenBucket(limits.rate, limits.burst, self.last)
        self._bad = self._bad_in_a_row = 0

    def arrived(self, frame: Frame) -> Incoming | Frame | None:
        """Look at a frame: the message in it, or the frame itself where nothing is read; None if there is nothing left to do."""
        if frame["type"] != "websocket.receive":
            if frame["type"] == "websocket.connect":
                return frame
            self._receiver.departed(frame.get("code", 1005), frame.get("reason") or "")
            return None
        text: str | None = frame.get("text")
        data: str | bytes = text if text is not None else frame["bytes"]
        self.last = now = self._clock.now()
        # No character is more than four bytes of UTF-8: most messages need no exact count.
        if len(data) * 4 > self._quick and self._is_too_big(data):
            self._receiver.stop(TOO_BIG, f"message over {self._limits.message} bytes")
            return None
        if self._bucket is not None and not self._bucket.take(now):
            self._receiver.tell(ErrorFrame("rate_limited", "too many messages"))
            self._receiver.stop(POLICY_VIOLATION, "too many messages")
            return None
        if self._read is None:
            return frame
        try:
            incoming = self._read(data)
        except FrameError as error:
            self.refuse(error)
            return None
        self._bad_in_a_row = 0
        if incoming.message.__class__ in _CONTROLS:
            self._receiver.controlled(incoming)
            return None
        return incoming

    def release(self) -> None:
        """Let go of whose frames they were; none comes any more."""
        del self._receiver

    def refuse(self, error: FrameError) -> None:
        """Answer a frame that cannot be read, and end the session if there were too many."""
        self._receiver.tell(error.frame(_logged(error) if error.code == "internal" else None))
        self._bad += 1
        self._bad_in_a_row += 1
        limits = self._limits
        if _over(self._bad_in_a_row, limits.bad_frames_in_a_row) or _over(self._bad, limits.bad_frames):
            self._receiver.stop(POLICY_VIOLATION, "too many bad frames")

    def _is_too_big(self, data: str | bytes) -> bool:
        limit = self._limits.message
        return (
            limit is not None and (len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))) > limit
        )


def _over(count: int, limit: Any) -> bool:
    return limit is not None and count >= limit


def _logged(error: FrameError) -> str:
    identity = token_hex(8)
    logger.error("error %s: a validator failed while a message was read", identity, exc_info=error.__cause__ or error)
    return identity
