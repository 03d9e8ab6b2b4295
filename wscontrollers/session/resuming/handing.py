"""What of a session goes to another process, where its client comes back to that, and what comes from one."""

from __future__ import annotations

from time import time

from ..owner import Frame
from .issuing import Issuing
from .keeper import keeper
from .kept import Asked, Flat, Kept, newest
from .reach import Reach
from .sent import Sent


class Handing(Reach):
    """The part of a line that knows what is to be handed over; `Line` is the whole of it.

    Attributes:
        id: The session's id.
        received: How many frames of the client arrived.
        sent: What the session sent.
        resumed: How often its client came back.
    """

    __slots__ = ("_event", "_issuing", "_preface", "id", "received", "resumed", "sent")

    id: str
    received: int
    sent: Sent
    resumed: int
    _issuing: Issuing
    _event: Frame | None
    _preface: list[Frame]

    def _go_on_from(self, kept: Kept) -> None:
        for flat in kept.frames:
            self.sent.add(flat.event("websocket.send"))
        self._preface = [flat.event("websocket.receive") for flat in kept.preface]
        self._issuing.go_on(kept.ticket, kept.tickets, self._clock.now())
        if self._connection is not None:
            self._connection.is_behind = True

    def _packed(self) -> Kept | None:
        """What another process needs to go on with the session; None where it does not run, or comes to its end."""
        held = self._held
        if held is None:
            return None
        waiting = held.waiting()
        return Kept(
            self.id,
            self._issuing.good(self._clock.now()),
            self._issuing.number,
            self._origin,
            self._place,
            self._subprotocol,
            self.resumed,
            self.received - held.unread() - (self._event is not None),
            self.sent.last + len(waiting),
            newest([*self.sent, *waiting]),
            [Flat.of(event) for event in self._preface],
            held.user,
            held.places(),
            self._resume.grace,
            time(),
        )

    def give_away(self, asked: Asked) -> Kept | None:
        """Let another process go on with the session, if its client may; it ends here."""
        kept = self._packed()
        return self.leave() if kept is not None and kept.admits(asked) else None

    def leave(self) -> Kept | None:
        """Let whoever its client comes to go on with the session; it ends here. None where nobody can go on with it."""
        held, kept = self._held, self._packed()
        if held is None or kept is None or not kept.tickets:
            return None
        keeper().forget(self)
        held.move()
        return kept
