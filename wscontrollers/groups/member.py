"""One session in one group."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..logs import logger_of
from ..messages import Gap
from ..session.delivery import Delivery
from .engines.engine import Position
from .marks import Mark
from .publication import Publication

if TYPE_CHECKING:
    from ..session.life import Life
    from ..session.outbox import Outbox
    from .local import LocalGroup

logger = logger_of("wscontrollers.groups")

WINDOW = 100
"""How many of what arrives wait, where the history has the others: more than arrive while a page of it is read."""


class Member:
    """A session that is in a group.

    While it catches up with what it missed, what arrives meanwhile waits, so that it comes behind that. Of a group with a history
    only the newest of it waits: the rest is read.

    Args:
        life: The session.
        direct: Whether frames may be written to the server's transport (see `Groups`).

    Attributes:
        life: The same.
        dialect: How its frames are written.
        is_direct: Whether frames are written to the server's transport.
        group: The group as far as it is here, while it is a member of that; told when `outbox` is another one.
        outbox: Where a frame may go at once; None while it catches up.
        passed: The newest place of what arrived and does not wait, for the history has it; None where everything waits.
        has_left: Whether it is a member no more.
        wanted: From where on its client wants what it missed, and has not been answered yet.
    """

    __slots__ = (
        *("_after", "_direct", "_waiting"),
        *("dialect", "group", "has_left", "is_direct", "life", "outbox", "passed", "wanted"),
    )

    def __init__(self, life: Life, *, direct: bool = True) -> None:
        self.life = life
        self.dialect = life.framing.dialect
        self.outbox: Outbox | None = None
        self.is_direct = False
        self.group: LocalGroup | None = None
        self.has_left = False
        self.wanted: Mark | None = None
        self.passed: Position | None = None
        self._direct = direct
        self._waiting: deque[Publication | Gap] | None = deque()
        self._after: Position | None = None

    def offer(self, publication: Publication) -> Delivery:
        """Hand it a publication: at once, or when it has caught up. Whatever is wrong with it, no other member sees of it."""
        if self._waiting is None:
            return self._sent(publication)
        if self._after is not None:
            return self._compared(publication, self._after)
        if self.group is not None and self.group.has_history:
            if len(self._waiting) >= WINDOW:
                self._pass(self._waiting.popleft())
        elif len(self._waiting) >= self.life.limits.outbox:
            self.life.overflown()
            return Delivery.CLOSED
        self._waiting.append(publication)
        return Delivery.QUEUED

    def hold(self) -> None:
        """Let what arrives from now on wait, if it does not yet."""
        if not self.is_catching_up:
            self._waiting, self._after, self.outbox, self.passed = deque(), None, None, None
            self._moved()

    def take_wanted(self) -> Mark | None:
        """What its client wants, once."""
        wanted, self.wanted = self.wanted, None
        return wanted

    @property
    def is_catching_up(self) -> bool:
        """Whether what arrives waits."""
        return self._waiting is not None and self._after is None

    def miss(self, gap: Gap) -> None:
        """Tell it that something is lost, behind what waits."""
        if self._waiting is None or self._after is not None:
            self.life.tell(gap)
        else:
            self._waiting.append(gap)

    def go_live(self, after: Position | None = None, here: Position | None = None) -> None:
        """Hand over what waited, and from now on what arrives.

        Args:
            after: The place up to which it has everything.
            here: Where its group stands. The history may be ahead of that: what the group comes to then, the session has already.
        """
        waiting, self._waiting = self._waiting, None
        for each in waiting or ():
            if isinstance(each, Gap):
                self.life.tell(each)
            elif each.is_behind(after):
                self._sent(each)
        if after is not None and here is not None and (here.epoch != after.epoch or here.offset < after.offset):
            self._waiting, self._after = deque(), after
        else:
            self._open()

    def next_waiting(self) -> Publication | Gap | None:
        """The oldest of what waits, which waits no more; None if nothing does."""
        return self._waiting.popleft() if self._waiting else None

    def _pass(self, oldest: Publication | Gap) -> None:
        """Let something not wait: it is read out of the history, or it is told that it is missing there."""
        if isinstance(oldest, Gap):
            self.life.tell(oldest)
        elif oldest.position is None:
            self.life.tell(Gap(1, "slow", oldest.group))
        else:
            self.passed = oldest.position

    def _open(self) -> None:
        self._waiting = self._after = None
        self.outbox = self.life.outbox
        if self._direct:
            self.outbox.go_direct()
            self.is_direct = self.outbox.direct is not None
        self._moved()

    def _moved(self) -> None:
        if self.group is not None:
            self.group.moved()

    async def replay(self, publication: Publication) -> Delivery:
        """Send it a publication that it missed; a slow peer is waited for."""
        life = self.life
        if not publication.is_for(self):
            return Delivery.SENT
        shared = publication.frame_for(life.framing)
        return Delivery.SENT if shared is None else await life.outbox.send({**shared.event}, shared.size)

    def _compared(self, publication: Publication, after: Position) -> Delivery:
        position = publication.position
        if position is not None and position.epoch == after.epoch:
            if position.offset <= after.offset:
                return Delivery.SENT  # out of the history
            self._open()
        return self._sent(publication)

    def _sent(self, publication: Publication) -> Delivery:
        life = self.life
        try:
            shared = publication.frame_for(life.framing)
            if shared is None:
                return Delivery.DROPPED
            return life.outbox.send_nowait({**shared.event}, shared.size, *publication.policy_for(life.wire))
        except Exception:
            logger.exception("session %s: a group's message could not be delivered", life.id)
            return Delivery.DROPPED
