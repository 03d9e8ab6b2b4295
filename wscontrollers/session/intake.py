"""What comes in from a peer: counted, bounded, read; what is wrong is answered, and too much of it ends the session."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from math import inf
from secrets import token_hex
from typing import Any, Protocol, cast

from ..logs import logger_of
from ..messages import Cancel, Credit, ErrorFrame, FrameError, Incoming, Recover, Reply
from .clock import MACHINE, Clock
from .framing import Read, Several
from .limits import Limits
from .rate import TokenBucket
from .reading import Frame

_CONTROLS = frozenset({Cancel, Credit, Recover, Reply, Several})

CONTROLS = 4
"""How many control frames may come in for each message that may, beside those to which the server gave occasion."""

TOO_BIG = 1009
POLICY_VIOLATION = 1008

logger = logger_of("wscontrollers.session")


class Receiver(Protocol):
    """Whose frames they are: a session."""

    def tell(self, frame: ErrorFrame) -> None:
        """Send an error frame without waiting."""
        ...

    def refused(self, error: FrameError) -> None:
        """A bad frame came, and is answered."""
        ...

    def exceed(self, code: int, reason: str) -> None:
        """End the session, for a limit is exceeded."""
        ...

    def departed(self, code: int, reason: str) -> None:
        """The peer is gone."""
        ...

    def owes(self, incoming: Incoming) -> bool:
        """Whether this side gave occasion to a control frame or a reply; each occasion is one for one frame."""
        ...

    def controlled(self, incoming: Incoming) -> None:
        """Deal with a control frame or a reply."""
        ...

    def keep(self, messages: deque[Incoming]) -> None:
        """Have the messages of one frame wait for their turn."""
        ...

    def wake(self) -> None:
        """The first frame came after nothing had come for a while."""
        ...


class Intake:
    """Reads each frame as it arrives.

    Args:
        receiver: Whose frames they are.
        limits: What a session may take.
        clock: The time.
        read: Turns a frame into a message; None hands frames over as they are.

    Attributes:
        last: The clock's seconds at the last frame that is no answer to the server.
        heard: The clock's seconds at the last frame of any kind.
        is_quiet: Whether nothing has come for so long that whoever it is has to be woken by the next one.
    """

    __slots__ = (
        "_bad",
        "_bad_in_a_row",
        "_bucket",
        "_limits",
        "_now",
        "_quick",
        "_read",
        "_receiver",
        "_spare",
        "heard",
        "is_quiet",
        "last",
    )

    def __init__(self, receiver: Receiver, limits: Limits, clock: Clock, read: Read | None) -> None:
        self._receiver = receiver
        self._read = read
        self._limits = limits
        self._now = time.monotonic if clock is MACHINE else clock.now  # the same, without a call of ours between
        # No character is more than four bytes of UTF-8: most messages need no exact count.
        self._quick = inf if limits.message is None else limits.message // 4
        self.last = self.heard = clock.now()
        self._bucket = None if limits.rate is None else TokenBucket(limits.rate, limits.burst, self.last)
        self._spare: TokenBucket | None = None
        self._bad = self._bad_in_a_row = 0
        self.is_quiet = False

    def arrived(self, frame: Frame) -> Incoming | Frame | None:
        """Look at a frame: the message in it, or the frame itself where nothing is read; None if there is nothing left to do."""
        data: str | bytes | None = frame.get("text")
        if data is None:
            if frame["type"] != "websocket.receive":
                return self._no_message(frame)
            data = cast(bytes, frame["bytes"])
        clock, read = self._now, self._read  # Python 3.11 takes longer to call what is no method as if it were one
        self.heard = now = clock()
        if self.is_quiet:
            self._receiver.wake()
        if len(data) > self._quick and self._is_too_big(data):
            self._receiver.exceed(TOO_BIG, f"message over {self._limits.message} bytes")
            return None
        incoming: Incoming | Frame
        if read is None:
            incoming = frame
        else:
            # Read before it is counted, for what is counted depends on what it is: beyond the rate that is one frame.
            try:
                incoming = read(data)
            except FrameError as error:
                if self._bucket is None or self._bucket.take(now):
                    self.refuse(error)
                else:
                    self._too_fast()
                return None
            if incoming.message.__class__ in _CONTROLS:
                self._control(incoming)
                return None
        if self._bucket is not None and not self._bucket.take(now):
            self._too_fast()
            return None
        self._bad_in_a_row = 0
        self.last = now
        return incoming

    def _no_message(self, frame: Frame) -> Frame | None:
        if frame["type"] == "websocket.connect":
            return frame
        self._receiver.departed(frame.get("code", 1005), frame.get("reason") or "")
        return None

    def speak(self, read: Read | None) -> None:
        """Read frames of another kind from now on."""
        self._read = read

    def release(self) -> None:
        """Let go of whose frames they were; none comes any more."""
        del self._receiver

    def refuse(self, error: FrameError) -> None:
        """Answer a frame that cannot be read, and end the session if there were too many."""
        self.last = self.heard
        self._receiver.tell(error.frame(_logged(error) if error.code == "internal" else None))
        self._receiver.refused(error)
        self._bad += 1
        self._bad_in_a_row += 1
        limits = self._limits
        if _over(self._bad_in_a_row, limits.bad_frames_in_a_row) or _over(self._bad, limits.bad_frames):
            self._receiver.exceed(POLICY_VIOLATION, "too many bad frames")

    def _control(self, incoming: Incoming) -> None:
        if isinstance(incoming.message, Several):
            self._several(incoming.message.items)
            return
        if not self._receiver.owes(incoming) and not self._spares():
            self._too_fast()
            return
        self._bad_in_a_row = 0
        if not isinstance(incoming.message, Reply):
            self.last = self.heard
        self._receiver.controlled(incoming)

    def _spares(self) -> bool:
        """Take a token for a control frame to which nothing here gave occasion; whether there was one."""
        limits = self._limits
        if limits.rate is None:
            return True
        if self._spare is None:
            self._spare = TokenBucket(CONTROLS * limits.rate, CONTROLS * limits.burst, self.heard)
        return self._spare.take(self.heard)

    def _several(self, items: Sequence[Incoming | FrameError]) -> None:
        """Look at what one frame holds as if each had come alone: it takes its token, and where it is bad it counts."""
        bucket, now = self._bucket, self.heard
        if bucket is not None and not all(bucket.take(now) for item in items if not _is_control(item)):
            self._too_fast()
            return
        messages: deque[Incoming] = deque()
        row = self._bad_in_a_row
        for item in items:
            if isinstance(item, FrameError):
                self._bad_in_a_row = row  # they came in one frame: as a row they are one
                self.refuse(item)
                continue
            self._bad_in_a_row = row = 0
            if _is_control(item):
                self._control(item)
            else:
                messages.append(item)
        if messages:
            self._receiver.keep(messages)

    def _too_fast(self) -> None:
        self._receiver.tell(ErrorFrame("rate_limited", "too many messages"))
        self._receiver.exceed(POLICY_VIOLATION, "too many messages")

    def _is_too_big(self, data: str | bytes) -> bool:
        limit = self._limits.message
        return (
            limit is not None and (len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))) > limit
        )


def _is_control(item: Incoming | FrameError) -> bool:
    return isinstance(item, Incoming) and item.message.__class__ in _CONTROLS


def _over(count: int, limit: Any) -> bool:
    return limit is not None and count >= limit


def _logged(error: FrameError) -> str:
    identity = token_hex(8)
    logger.error("error %s: a validator failed while a message was read", identity, exc_info=error.__cause__ or error)
    return identity
