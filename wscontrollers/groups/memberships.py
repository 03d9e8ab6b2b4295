"""The groups of one session."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING, Any

from anyio import Event

from ..exceptions import Denied, EngineDownError
from ..logs import logger_of
from ..messages import ErrorFrame, Gap, Recovered
from ..session.memberships import Joined
from ..session.resuming.kept import Place
from .catching_up import recover
from .engines.engine import Position
from .marks import Mark
from .member import Member
from .names import USER, checked, own

if TYPE_CHECKING:
    from ..session.life import Life
    from .groups import Groups
    from .hub import Hub
    from .local import LocalGroup
    from .presence.declared import PresenceOf

logger = logger_of("wscontrollers.groups")

RECOVER = "recover"
"""The parameter of the URL in which a client gives its marks."""
MAX_MARKS = 128


class SessionGroups:
    """What one session is in (see `session.memberships.Memberships`).

    Args:
        groups: The groups of the application.
        hub: Those of the event loop.
        life: The session.
    """

    __slots__ = ("_entering", "_groups", "_hub", "_joined", "_marks", "life", "since", "user")

    def __init__(self, groups: Groups, hub: Hub, life: Life) -> None:
        self._groups = groups
        self._hub = hub
        self._joined: dict[str, Member] = {}
        self._entering: dict[str, _Entry] = {}
        self._marks: dict[str, Mark] | None = None
        self.life = life
        self.since = time()
        self.user: str | None = None
        hub.sessions[life.id] = self

    @property
    def names(self) -> frozenset[str]:
        """Which groups it is in."""
        return frozenset(name for name in self._joined if not name.startswith(USER))

    async def join(self, group: str, presence: Any = None) -> Joined:
        """See `Session.join`."""
        declared = self._groups.declarations.presence_of(own(group))
        while (entering := self._entering.get(group)) is not None:
            await entering.done.wait()  # another task joins the same group
        if group in self._joined:
            if presence is not None:
                await self._hub.node.change(group, self.life.id, info=_given(declared, presence, group))
            return Joined(group, self._mark(self._hub.group(group)))
        info = _given(declared, presence, group)
        self._require_accepted("join")
        self._require_room()
        self._entering[group] = entering = _Entry()
        try:
            await self._groups.guard(group, self.life)
            return await self._enter(group, declared, info, entering)
        finally:
            del self._entering[group]
            entering.done.set()
            if entering.wanted is not None:
                self._forbid()

    async def leave(self, group: str) -> None:
        """See `Session.leave`."""
        if not group.startswith(USER) and (member := self._joined.pop(group, None)) is not None:
            self._remove(group, member)

    async def identify(self, user: str) -> None:
        """See `Session.identify`."""
        group = checked(USER + user)
        if self.user == user:
            return
        if not user or self.user is not None:
            raise ValueError(
                f"Session.identify({user!r}): {'it is empty' if not user else 'the session has a user already'}. Fix: identify a "
                "session once, when its user is known."
            )
        self._require_accepted("identify")
        self.user = user
        try:
            await self._enter(group)
        except BaseException:
            self.user = None
            raise
        for name in self.names:
            await self._hub.node.change(name, self.life.id, user=user)

    async def recover(self, marks: Sequence[str]) -> None:
        """Send what was missed since these marks: from the client's own frame.

        Of the marks of one group the last one counts; a group that is being caught up with is begun anew when that is done, with
        the last mark that was given by then. So what a client makes the server send is bounded by what it takes.
        """
        wanted = {mark.group: mark for text in marks if (mark := _read(text)) is not None}
        if wanted.keys() - self._joined.keys() - self._entering.keys() or not wanted:
            self._forbid()
        for name, mark in wanted.items():
            member, entering = self._joined.get(name), self._entering.get(name)
            if member is None:
                if entering is not None:
                    entering.wanted = mark  # it is answered when the session is in, or is not let in
                continue
            is_begun, member.wanted = member.is_catching_up, mark
            group = self._hub.find(name)
            if not is_begun and group is not None:
                await self._catch_up(member, group)

    def places(self) -> Sequence[Place]:
        """See `session.memberships.Memberships.places`."""
        return [self._place(name, member) for name, member in self._joined.items() if not name.startswith(USER)]

    def _place(self, name: str, member: Member) -> Place:
        group = self._hub.find(name)
        position = None if group is None or member.is_catching_up else group.position
        info = self._hub.node.info_of(name, self.life.id)
        return Place(name, info=info) if position is None else Place(name, *position, info)

    async def restore(self, places: Sequence[Place], user: str | None, *, since: float) -> None:
        """See `session.memberships.Memberships.restore`."""
        if user is not None:
            await self.identify(user)
        for place in places:
            try:
                await self._return_to(place)
            except (Denied, ValueError, TypeError) as refusal:
                logger.info("session %s: it is not let into a group again: %s", self.life.id, refusal)
                self.life.tell(ErrorFrame("forbidden", f"no member of {place.group} any more"))
            except EngineDownError as error:
                logger.warning("session %s: it is not in a group that it was in: %s", self.life.id, error)
                self.life.tell(Gap(0, "engine", place.group))
        await self._hub.orders.make_good(self.life, since)

    async def _return_to(self, place: Place) -> None:
        name = own(place.group)
        group = self._hub.group(name)
        if group.has_history and place.epoch is not None:
            self._asked()[name] = Mark(name, Position(place.epoch, place.offset))  # what is before it, the session has
        await self._groups.guard(name, self.life)
        await self._enter(name, self._groups.declarations.presence_of(name), place.info)
        here = group.position
        if place.epoch is None:
            self.life.tell(Gap(0, "engine", name))
        elif not group.has_history and here is not None and (here.epoch, here.offset) != (place.epoch, place.offset):
            is_known = here.epoch == place.epoch and group.counts
            self.life.tell(Gap(here.offset - place.offset if is_known else 0, "engine", name))

    def release(self) -> None:
        """Leave everything: the session is over."""
        joined, self._joined = self._joined, {}
        for name, member in joined.items():
            self._remove(name, member)
        if self._hub.sessions.get(self.life.id) is self:  # one that moved away and back again is another one
            del self._hub.sessions[self.life.id]

    async def _enter(
        self, name: str, declared: PresenceOf[Any] | None = None, info: Any = None, entry: _Entry | None = None
    ) -> Joined:
        if self.life.ended is not None:
            return Joined(name)
        member = self._joined[name] = Member(self.life, direct=self._groups.direct)
        if entry is not None:
            member.wanted, entry.wanted = entry.wanted, None
        try:
            joined = await self._entered(name, member)
            if declared is not None and self._joined.get(name) is member:
                await self._hub.node.enter(name, declared, self.life, self.user, info)
            return joined
        except BaseException:
            if self._joined.get(name) is member:
                del self._joined[name]
            self._remove(name, member)
            if member.take_wanted() is not None:
                self._forbid()
            raise

    def _remove(self, name: str, member: Member) -> None:
        self._hub.remove(name, member)
        if name not in self._joined:
            self._hub.node.leave(name, self.life.id)

    async def _entered(self, name: str, member: Member) -> Joined:
        try:
            group = await self._hub.add(name, member)
        except EngineDownError:
            if not self._groups.delivers_alone:
                raise
            self._hub.open_later()
            is_asked = self._is_asked(name, member)
            if member.take_wanted() is not None:
                self.life.tell(Recovered(name, complete=False))
            member.go_live()
            return Joined(name, None, False if is_asked else None)
        if group is None:  # it left meanwhile
            if member.take_wanted() is not None:
                self._forbid()
            return Joined(name)
        is_asked = self._is_asked(name, member)
        is_complete = await self._catch_up(member, group)
        return Joined(name, self._mark(group), is_complete if is_asked else None)

    def _is_asked(self, name: str, member: Member) -> bool:
        """Whether the client wants what it missed: a frame said so while it joined, or the handshake."""
        asked = self._asked().pop(name, None)
        member.wanted = member.wanted or asked
        return member.wanted is not None

    async def _catch_up(self, member: Member, group: LocalGroup) -> bool:
        """Send what is wanted, and what is wanted by then, until nothing is, and go live; whether the last was all there."""
        is_complete = False
        while (mark := member.take_wanted()) is not None and not member.has_left:
            connection = self._hub.connection
            if group.has_history and connection is not None:
                member.hold()
                is_complete = await recover(member, group, mark, connection)
            else:
                is_complete = False
                self.life.tell(Recovered(group.name, complete=False))
        if mark is not None:
            self._forbid()
        if member.is_catching_up and not member.has_left:
            member.go_live(group.position)
        return is_complete

    def _forbid(self) -> None:
        self.life.tell(ErrorFrame("forbidden", "no mark of a group that this session is in"))

    def _asked(self) -> dict[str, Mark]:
        """The marks that came with the handshake, by group; each counts once."""
        if self._marks is None:
            websocket = self.life.websocket
            is_asked = RECOVER.encode() in websocket.scope.get("query_string", b"")
            texts = websocket.query_params.getlist(RECOVER)[:MAX_MARKS] if is_asked else []
            self._marks = {mark.group: mark for text in texts if (mark := _read(text)) is not None}
        return self._marks

    def _mark(self, group: LocalGroup) -> str | None:
        return str(Mark(group.name, group.position)) if group.has_history and group.position is not None else None

    def _require_accepted(self, verb: str) -> None:
        if self.life.websocket.is_connecting:
            raise RuntimeError(
                f"Session.{verb}(): the handshake is not accepted. Fix: {verb} in the endpoint, a handler or a task of the "
                "session; with accept=False call session.accept() first."
            )

    def _require_room(self) -> None:
        limit = self.life.limits.groups
        if limit is not None and len(self.names | self._entering.keys()) >= limit:
            raise ValueError(
                f"Session.join(): the session is in {limit} groups already. Fix: leave some, or raise the limit: "
                "Limits(groups=...)."
            )


class _Entry:
    """A join that is under way.

    Attributes:
        done: Set when it is over.
        wanted: From where on the client wants what it missed, where it said so before the session was a member.
    """

    __slots__ = ("done", "wanted")

    def __init__(self) -> None:
        self.done = Event()
        self.wanted: Mark | None = None


def _given(declared: PresenceOf[Any] | None, presence: Any, group: str) -> Any:
    """What a session gave when it joined a group, as JSON has it."""
    if declared is not None:
        return declared.written(presence, group)
    if presence is not None:
        raise ValueError(
            f"Session.join({group!r}): the group has no presence. Fix: declare it, Group({group!r}, presence=Who), or join it "
            "without."
        )
    return None


def _read(text: str) -> Mark | None:
    try:
        return Mark.read(text)
    except ValueError:
        return None
