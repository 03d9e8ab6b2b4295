"""`Groups`: publish to named sets of sessions, wherever those are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..callables import Kind, kind_of, name_of, place_of
from ..exceptions import DeclarationError, Denied
from ..logs import logger_of
from .alone import publish_or_hand
from .control import order_to_end
from .declaring import Declarations
from .encoding import Encoder
from .engines.engine import Engine, EngineState, Position
from .engines.memory import MemoryEngine
from .engines.urls import engine_of
from .guarding import NO_SUCH_GROUP, Guard
from .hubs import Hubs
from .kept import Kept, KeptReader
from .marks import Mark
from .memberships import SessionGroups
from .names import EVERYBODY, channel_of, checked
from .orders import KEPT
from .presence.declared import PresenceOf
from .presence.present import Present
from .published import Published
from .sending import Publishable, Sends
from .targets import excluded, target_of

if TYPE_CHECKING:
    from ..callables import AnyCallable
    from ..container import Container
    from ..messages import Codec
    from ..session import Session
    from ..session.life import Life
    from .declaring import Group
    from .moving import Mover

logger = logger_of("wscontrollers.groups")

_NOTHING = frozenset[type]()
SEEN = 4096
"""Of how many groups it is remembered what can be published to them."""

InfoT = TypeVar("InfoT")
HookT = TypeVar("HookT", bound=Callable[[EngineState], Any])


class Groups:
    """Named sets of sessions that messages are published to, in this process and in others.

    It is injected like any service, and works the same in an HTTP route, a handler or a task.

    Args:
        engine: What carries groups between processes, or its URL: "redis://localhost:6379", "nats://localhost:4222"; None
            keeps them within this process.
        declared: Groups of which something is declared: `Group` objects, and functions that are marked with `@group`.
        delivers_alone: Whether sessions of this process go on to hear each other while the engine does not answer; none of them
            has a message twice when it does again.
        direct: Whether messages may be written to uvicorn's transports, past its `send`, where it is known that this comes to the
            same; they are not compressed then. False sends all of them by `send`.
        lease: Seconds after which the sessions of a process that died are taken for gone, in groups with presence.

    Raises:
        DeclarationError: The URL is none, its extra is not installed, or a declaration is none.
        ValueError: The lease is not above 0, or without end.
    """

    __supplied__ = "groups"

    def __init__(
        self,
        engine: Engine | str | None = None,
        declared: Sequence[Group | AnyCallable] = (),
        *,
        delivers_alone: bool = False,
        direct: bool = True,
        lease: float = 15.0,
    ) -> None:
        if not 0 < lease < inf:
            raise ValueError(f"Groups(lease={lease!r}): it is no time to live. Fix: give seconds above 0.")
        self.engine = MemoryEngine() if engine is None else engine_of(engine) if isinstance(engine, str) else _engine(engine)
        self.declarations = Declarations(declared)
        self.delivers_alone = delivers_alone
        self.direct = direct
        self._encoder = Encoder((), self.declarations.sends)
        self._guards: dict[Group, Guard] = {}
        self._readers: dict[Group, KeptReader] = {}
        self._sends: dict[Group, Sends] = {}
        self._sendable: dict[str, set[type[Any]]] = {}
        self._served: Container | None = None
        self._hubs = Hubs(self.engine, self.declarations.history_of, lease)
        self._hub = self._hubs.here

    # Publishing

    async def publish(
        self,
        group: str,
        message: Publishable,
        *,
        exclude: Session[Any, Any] | str | Iterable[Session[Any, Any] | str] = (),
        to: Session[Any, Any] | str | None = None,
    ) -> Published:
        """Send a message to all sessions of a group, in this process and in others; it is written once.

        Messages of one publisher arrive at every session in their order. A session that is slow, gone or failing holds up none
        of the others: what becomes of the message there is the policy of its class, else of the session's controller.

        Args:
            group: Its name; "user:ann" are all sessions that identified as that user.
            message: An instance of a subclass of `Message`, or of a type that is declared by `sends`.
            exclude: Who does not get it: sessions, ids of sessions, or "user:id"; one or several.
            to: Of the group only this session, or "user:id", or "session:id".

        Returns:
            What is known when the engine has taken it; with `delivers_alone`, also when it did not answer.

        Raises:
            EngineDownError: The engine did not take it in time; it may have been taken all the same.
            ValueError: It is no name of a group, or `to` or `exclude` is nobody.
            TypeError: It is nothing that can be sent, or none of the types that the group declares.
        """
        if message.__class__ not in self._sendable.get(group, _NOTHING):
            self._require_sendable(group, message)
        envelope = self._encoder.envelope(message, exclude=excluded(exclude), to=None if to is None else target_of(to))
        if self.delivers_alone:
            return await publish_or_hand(self._hub(), checked(group), envelope)
        return await self._hub().publish(group, envelope)

    def _require_sendable(self, group: str, message: Any) -> None:
        declared = self.declarations.of(checked(group))
        if declared is not None:
            sends = self._sends.get(declared)
            if sends is None:
                sends = self._sends[declared] = Sends(declared)
            sends.require(message, group)
        if not isinstance(message, dict):  # of which its class says nothing
            if len(self._sendable) >= SEEN:
                self._sendable.clear()
            self._sendable.setdefault(group, set()).add(message.__class__)

    async def disconnect(self, who: Session[Any, Any] | str, code: int = 1000, reason: str = "") -> None:
        """End a session, or all sessions of a user, in whatever process they are.

        A session that has never asked for its groups or its user is found in this process, and in those that are connected to the
        engine: where groups are declared, or used. A process that is cut off from the engine at that moment makes good for it
        when it is back, up to ten minutes later: for the sessions that it had by then, not for those that came behind the order.

        Args:
            who: A session, "session:id" or "user:id".
            code: The close code (RFC 6455, section 7.4).
            reason: At most 123 bytes of it are sent.

        Raises:
            EngineDownError: The engine did not take it in time; it may have been taken all the same.
            ValueError: The text names nobody, or a close frame must not hold the code.
        """
        order = order_to_end(target_of(who), code, reason)
        connection = await self._hub().open()
        await connection.publish(EVERYBODY, order, KEPT)

    @property
    def state(self) -> EngineState:
        """How the engine is, for this event loop; down before the first use, and behind `close`."""
        return self._hub().state

    def on_state(self, hook: HookT) -> HookT:
        """Have a function called with the engine's state whenever that is another one; it can be a decorator.

        Args:
            hook: A function, not async, that takes an `EngineState`; it is called in the event loop and must not block. What it
                raises is logged.

        Raises:
            DeclarationError: It is async: nobody would wait for it.
        """
        if kind_of(hook) is not Kind.CALL:
            raise DeclarationError.at(
                place_of(hook), "a hook for the engine's state is not a plain function", fix='write "def"; let it start a task'
            )
        self._hubs.hooks.append(hook)
        return hook

    # History

    async def history(
        self, group: str, *, since: str | None = None, limit: int | None = None, whispers: bool = False
    ) -> Sequence[Kept]:
        """What is kept of a group, the oldest first.

        Args:
            group: Its name; a group without a history has nothing.
            since: Only what came behind this mark; all that is kept, if the mark is too old or none.
            limit: At most so many, the oldest ones.
            whispers: Whether what was for one session or one user of the group (`to=`) is among it; `Kept.to` says for whom.

        Raises:
            EngineDownError: The engine does not answer.
            ValueError: It is no name of a group, or the limit is below 0.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"Groups.history(limit={limit}): it is no number of messages. Fix: give 0 or more, or None for all.")
        declared = self.declarations.of(checked(group))
        if declared is None or declared.history is None:
            return []
        reader = self._readers.get(declared)
        if reader is None:
            reader = self._readers[declared] = KeptReader(declared)
        connection = await self._hub().open()
        after = _place(since, group)
        page = await connection.read(channel_of(group), after, limit)
        if after is not None and not page.is_complete:
            page = await connection.read(channel_of(group), None, limit)
        found = list(reader.messages(group, page, whispers=whispers))
        while limit is not None and len(found) < limit and page.entries:  # some of it was for others, or is no message any more
            after = Position(page.top.epoch, page.entries[-1][0])
            page = await connection.read(channel_of(group), after, limit - len(found))
            found += reader.messages(group, page, whispers=whispers)
        return found

    # Presence

    @overload
    async def members(self, group: str) -> list[Present[Any]]: ...

    @overload
    async def members(self, group: str, info: type[InfoT]) -> list[Present[InfoT]]: ...

    async def members(self, group: str, info: Any = None) -> list[Present[Any]]:
        """Who is in a group with presence, in all processes: each session, in the order in which they came.

        Args:
            group: Its name.
            info: The type that the group declares, for type checkers: what each gave is of it.

        Raises:
            EngineDownError: The engine does not answer.
            ValueError: The group has no presence.
            TypeError: It declares another type.
        """
        declared = self._presence(group)
        if info is not None and info != declared.info:
            raise TypeError(f"group {group!r}: its presence is no {name_of(info)}. Fix: give {name_of(declared.info)}, or none.")
        return declared.present(await self._hub().node.present(group))

    async def count(self, group: str) -> int:
        """How many sessions are in a group with presence, in all processes; see `members`."""
        self._presence(group)
        return len(await self._hub().node.present(group))

    def _presence(self, group: str) -> PresenceOf[Any]:
        declared = self.declarations.presence_of(checked(group))
        if declared is None:
            raise ValueError(f"group {group!r}: it has no presence. Fix: declare it: Group({group!r}, presence=Who).")
        return declared

    # What applications and sessions ask

    @property
    def mover(self) -> Mover:
        """Moves sessions that can be resumed between processes, for the running event loop."""
        return self._hub().mover

    def enrol(self, life: Life) -> SessionGroups:
        """The memberships of a session."""
        return SessionGroups(self, self._hub(), life)

    async def guard(self, group: str, life: Life) -> None:
        """Ask the group's guard whether a session may join.

        Raises:
            Denied: It may not; or the name begins as that of a declared group, and has not its form.
        """
        if self.declarations.is_near(group):
            raise Denied(403, NO_SUCH_GROUP)
        declared = self.declarations.of(group)
        guard = None if declared is None else self._guards.get(declared)
        if guard is not None:
            await guard.admit(group, life)

    def serve(self, *, container: Container, provider: object, threads: bool, codecs: Sequence[Codec]) -> None:
        """Serve an application: plan the guards with its container, and write what is published with its codecs.

        Raises:
            DeclarationError: They serve another application, or a guard's parameter can never be filled.
        """
        if self._served is not None and self._served is not container:
            raise DeclarationError.at("Groups()", "they serve another application", fix="make Groups of its own for each")
        self._served = container
        self.write_with(codecs)
        for declared in self.declarations.all:
            if declared.guard is not None or declared.dependencies:
                self._guards[declared] = Guard(declared, container=container, provider=provider, threads=threads)

    def write_with(self, codecs: Sequence[Codec]) -> None:
        """Write what is published with these codecs, and in JSON."""
        self._encoder = Encoder(codecs, self.declarations.sends)

    async def open(self) -> None:
        """Connect to the engine; it is done at first use otherwise.

        Raises:
            EngineDownError: The engine is not there.
        """
        await self._hub().open()

    async def close(self) -> None:
        """Disconnect this event loop from the engine."""
        await self._hub().close()


def _engine(given: Engine) -> Engine:
    if isinstance(given, type) or not callable(getattr(given, "connect", None)):
        fix = f"make one: engine={given.__name__}(...)" if isinstance(given, type) else 'give a URL, "redis://host:6379"'
        raise DeclarationError.at("engine=...", f"{given!r} is no engine", fix=fix)
    return given


def _place(since: str | None, group: str) -> Position | None:
    if since is None:
        return None
    try:
        mark = Mark.read(since)
    except ValueError:
        return None
    return mark.position if mark.group == group else None
