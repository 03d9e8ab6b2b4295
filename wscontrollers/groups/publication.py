"""A published message in the process that delivers it: one frame for each way of framing, made once for all members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..logs import logger_of
from ..session.shared import SharedFrame
from .engines.engine import Position
from .envelope import Envelope
from .marks import Mark
from .names import SESSION, USER

if TYPE_CHECKING:
    from ..session.delivery import Overflow
    from ..session.framing import Framing
    from ..session.wire import Wire
    from .member import Member

logger = logger_of("wscontrollers.groups")


class Publication:
    """What is handed to the members of a group.

    Args:
        group: The group.
        envelope: What was published.
        position: Its place in the group; None where it did not come through an engine.
        is_marked: Whether its frames tell their place.
    """

    __slots__ = ("_frames", "_keys", "_mark", "envelope", "group", "position")

    def __init__(self, group: str, envelope: Envelope, position: Position | None, *, is_marked: bool) -> None:
        self.group = group
        self.envelope = envelope
        self.position = position
        self._mark = str(Mark(group, position)) if is_marked and position is not None else None
        self._frames: dict[str, SharedFrame | None] = {}
        self._keys: dict[Wire, object] | None = None

    def is_for(self, member: Member) -> bool:
        """Whether a member is among those that get it."""
        envelope = self.envelope
        life = member.life
        exclude = envelope.exclude
        if exclude and (life.id in exclude or (life.user is not None and USER + life.user in exclude)):
            return False
        if envelope.to is None:
            return True
        return envelope.to in (SESSION + life.id, USER + life.user if life.user is not None else None)

    def is_behind(self, place: Position | None) -> bool:
        """Whether it came behind a place; what came through no engine came behind everything."""
        position = self.position
        return place is None or position is None or position.epoch != place.epoch or position.offset > place.offset

    @property
    def is_for_all(self) -> bool:
        """Whether nobody has to be asked."""
        return not self.envelope.exclude and self.envelope.to is None

    def policy_for(self, wire: Wire) -> tuple[Overflow, object]:
        """What happens to it where there is no room, and the key under which a newer one replaces it.

        In a group with a history none does: a newer message in the place of an older one would let its mark overtake those
        between, and who is lost there would lose them.

        Args:
            wire: What the session speaks, with what its controller says.
        """
        envelope = self.envelope
        policy = envelope.overflow or wire.overflow
        if self._mark is not None:
            return policy, None
        key: object = envelope.key
        if key is None and envelope.overflow is None:
            keys = self._keys = {} if self._keys is None else self._keys
            if wire not in keys:
                keys[wire] = self._key_by(wire)
            key = keys[wire]
        return policy, None if key is None else (self.group, key)

    def _key_by(self, wire: Wire) -> object:
        """The key by what a controller says; one that cannot be had costs no message, and the session closes where it is full."""
        try:
            return wire.published_key(self.envelope.frames)
        except Exception:
            logger.exception("group %r: the key of a message could not be had, by the outbox of a controller", self.group)
            return None

    def frame_for(self, framing: Framing) -> SharedFrame | None:
        """The frame in the way that a session frames; None where none can be made of what was published."""
        dialect = framing.dialect
        try:
            return self._frames[dialect]
        except KeyError:
            frame = framing.relayed(self.envelope.frames, self._mark)
            shared = self._frames[dialect] = None if frame is None else SharedFrame(frame)
            return shared
