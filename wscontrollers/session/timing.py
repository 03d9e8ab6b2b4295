"""The time of one session: who reads while it is busy, its grace, and the limits that are counted in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import Heartbeat
from .ending import LOSS
from .loss import close_of
from .parting import unread_by
from .patience import Patience, protocol_of
from .stalls import guard_closing

if TYPE_CHECKING:
    from .life import Life
    from .resuming.line import Line
    from .watch import Watch

GOING_AWAY, TRY_AGAIN_LATER = 1001, 1013


class Timekeeper:
    """What the look-out knows of a session (see `watch.Watched`).

    Args:
        life: The session.
        watch: The look-out.
    """

    __slots__ = (
        "_asked_at",
        "_epoch",
        "_is_guarded",
        "_left",
        "_life",
        "_patience",
        "_saw_loss",
        "_since",
        "_stalled_since",
        "_watch",
        "_writes",
    )

    def __init__(self, life: Life, watch: Watch) -> None:
        self._life = life
        self._watch = watch
        self._since = life.clock.now()
        self._stalled_since = self._asked_at = 0.0
        self._epoch = self._writes = -1
        self._left: int = -1
        self._patience: Patience | None = None
        self._saw_loss = self._is_guarded = False

    @property
    def life(self) -> Life:
        """The session."""
        return self._life

    def wake(self) -> None:
        """A frame came, or the session comes to its end: look at every tick again."""
        self._life.intake.is_quiet = False
        self._watch.wake(self)

    def glance(self) -> bool:
        """Let somebody read if the endpoint is busy, and end what outlives its grace; one that waits for a message sleeps."""
        life = self._life
        reading = life.reading
        if reading.epoch == self._epoch and reading.waiter is not None and life.ended is None and not life.is_lost:
            life.intake.is_quiet = True
            return False
        self._look()
        return True

    def _look(self) -> None:
        life = self._life
        reading = life.reading
        if life.ended is not None:
            if life.clock.now() - life.ended_at >= life.limits.grace:
                life.interrupt()
            elif life.websocket.is_open:
                reading.read_ahead()  # a peer that leaves now ends the grace
            return
        if life.is_lost:
            if self._saw_loss:  # its event may be under way still, in a middleware
                life.departed(*close_of(life.websocket.send_event, reading.source) or (LOSS, ""))
            elif reading.is_held:
                reading.read_on()
            self._saw_loss = True  # until the next look the disconnect event has time to come
        elif reading.is_held:
            self._look_behind(life)
        else:
            self._patience = None
            if reading.epoch == self._epoch and life.websocket.is_open:
                reading.read_ahead()
        self._epoch = reading.epoch

    def inspect(self, now: float) -> None:
        """End the session if one of its times is over.

        Args:
            now: The clock's seconds.
        """
        life = self._life
        limits = life.limits
        if life.intake.is_quiet and life.reading.waiter is None:
            self.wake()  # it waits no more, though nothing came: the wait was cancelled
        if life.ended is not None:
            self._look()
            return
        if life.line is None:
            if not self._is_guarded:
                self._is_guarded = guard_closing(life.websocket.scope, life.websocket.send_event, life.reading.source)
        elif self._is_away(life.line, now):
            return
        if limits.lifetime is not None and now - self._since >= limits.lifetime:
            life.exceed(GOING_AWAY, "life time over")
        elif limits.idle is not None and self._silence(now) >= limits.idle:
            life.exceed(GOING_AWAY, "idle")
        elif limits.stall is not None and life.outbox.writing:
            self._look_for_progress(now, limits.stall)
        elif limits.heartbeat is not None and life.framing.read is not None:
            self._ask_for_a_sign(now, limits.heartbeat)

    def _silence(self, now: float) -> float:
        """Seconds since the client's last message; while nothing is read on purpose it may have said much."""
        intake = self._life.intake
        if self._life.reading.is_held:
            intake.last = now
        return now - intake.last

    def _look_behind(self, life: Life) -> None:
        """While the inbox is full: see whether the peer is gone, and take no unread pong amiss."""
        patience = self._patience
        if patience is None:
            protocol = protocol_of(life.websocket.send_event) if life.is_direct else None
            if protocol is None:
                return
            patience = self._patience = Patience(protocol)
        if patience.is_over():
            life.reading.read_on()
        elif patience.is_silent():
            patience.give_up()
            life.reading.read_on()
        else:
            patience.spare()

    def failed(self, error: Exception) -> None:
        """See `Watched.failed`."""
        self._life.fail(error)

    def _is_away(self, line: Line, now: float) -> bool:
        """Whether the client is away; then no time counts but its own, to come back."""
        line.expire(now)
        if line.is_detached:
            self._writes = -1
            return True
        if line.is_due(now):
            self._life.start(line.announce)
        return False

    def _ask_for_a_sign(self, now: float, heartbeat: float) -> None:
        life = self._life
        if life.reading.is_held:
            life.intake.heard = now  # nothing is read on purpose: the client may have said much
        silence = now - life.intake.heard
        if silence >= 2 * heartbeat:
            life.exceed(GOING_AWAY, "no answer to a heartbeat")
        elif silence >= heartbeat and self._asked_at <= life.intake.heard:
            self._asked_at = now
            life.tell(Heartbeat(life.questions.reference()))

    def _look_for_progress(self, now: float, stall: float) -> None:
        life = self._life
        writes = life.outbox.writes + (0 if life.line is None else life.line.replayed)
        left = unread_by(life.websocket.send_event)
        if writes != self._writes or left != self._left:
            self._writes, self._left, self._stalled_since = writes, left, now
        elif now - self._stalled_since >= stall:
            life.exceed(TRY_AGAIN_LATER, "too slow")
            life.outbox.close()
            life.interrupt()
