"""The application that serves a route: what it gives, and how a route that is not among its own finds it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from starlette.types import Scope

from ..container import Container
from ..exceptions import DeclarationError
from ..markers import Dependency
from ..security.origins import OriginPolicy
from ..session.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar

    from ..callables import AnyCallable
    from ..groups import Engine, Group, Groups
    from ..messages import Codec
    from ..session.life import Life
    from ..session.memberships import Memberships
    from ..session.resuming.resume import Resume

_ATTRIBUTE = "websocket_host"


class Host:
    """What a route gets from the application that serves it.

    Attributes:
        container: What supplies services.
        provider: Who has `dependency_overrides`.
        threads: Whether plain functions run in worker threads where nothing else is said.
        origins: Which browsers' pages may open sessions, those of the same host if left out; None asks nobody.
        limits: What a session may take where controller and route say nothing.
        codecs: What sessions can be held in beside JSON.
        engine: What carries groups between processes, or its URL; None keeps them within this one.
        declared: The groups of which something is declared, or the groups themselves.
        direct: Whether frames may go past the server's `send` and `receive`, where that comes to the same.
        resumes: What is declared of sessions that can be resumed.
        guests: What it serves without having it among its own routes, bound to it: by identity, each with what that is of.
    """

    def __init__(
        self,
        container: Container | None = None,
        *,
        provider: object = None,
        threads: bool = True,
        origins: OriginPolicy | None = None,
        limits: Limits = DEFAULT_LIMITS,
        codecs: Sequence[Codec] = (),
        engine: Engine | str | None = None,
        declared: Groups | Sequence[Group | AnyCallable] = (),
        direct: bool = True,
    ) -> None:
        if codecs:
            from ..messages.codecs import check_codecs  # here, because most applications name none

            check_codecs(codecs, "codecs=[...]")
        self.container = Container() if container is None else container
        self.provider = provider
        self.threads = threads
        self.origins: OriginPolicy | None = origins or OriginPolicy()
        self.limits = limits
        self.codecs = codecs
        self.engine = engine
        self.declared = declared
        self.direct = direct
        self.guests: dict[Any, tuple[object, Any]] = {}
        self.resumes: list[Resume] = []
        self._groups: Groups | None = None
        self._making: Any = RLock()
        supplier = self.container.supply("groups", self._made)
        if self.engine is None and not self.declared:
            return
        if supplier != self._made:
            raise DeclarationError.at(
                "engine=..., groups=[...]",
                "the container has the groups of another application",
                fix="give each application a container of its own, or say it at the first one alone",
            )
        self._made()  # so that what is wrong with a guard is told here

    @property
    def groups(self) -> Groups:
        """The groups of the application, made when they are first asked for: most need none.

        Raises:
            DeclarationError: The engine's URL is none, or a guard's parameter can never be filled.
        """
        groups: Groups = self.container.supply("groups", self._made)()
        return groups

    @property
    def has_groups(self) -> bool:
        """Whether groups were asked for, by declaration or in use."""
        return self._groups is not None or self.engine is not None or bool(self.declared)

    @property
    def is_running(self) -> bool:
        """Whether a lifespan of it is under way in the running event loop."""
        return bool(_runs_here().get(self))

    def enrol(self, life: Life) -> Memberships:
        """The memberships of a session."""
        return self.groups.enrol(life)

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Connected to the engine, if there is anything to connect for; what was opened at first use is closed too.

        Where the application is served more than once in one event loop, by two servers on two ports, the last one disconnects.

        Raises:
            EngineDownError: The engine is not there.
        """
        runs = _runs_here()
        runs[self] = runs.get(self, 0) + 1
        try:
            if self.has_groups:
                await self.groups.open()
            if self.resumes:
                from .resuming import warn_of

                warn_of(self)
            yield
        finally:
            runs[self] -= 1
            if not runs[self]:
                await self._close()

    async def _close(self) -> None:
        try:
            if self.resumes:
                from .resuming import end_sessions

                await end_sessions(self)
        finally:
            if self._groups is not None:
                await self._groups.close()

    def _made(self) -> Groups:
        with self._making:  # sessions of several threads may ask at once, and have to hear each other
            if self._groups is None:
                self._make()
            assert self._groups is not None
            return self._groups

    def _make(self) -> None:
        from ..groups import Groups

        groups = self.declared
        if not isinstance(groups, Groups):
            groups = Groups(self.engine, groups)
        elif self.engine is not None:
            raise DeclarationError.at("engine=...", "the groups have an engine already", fix="give it to Groups alone")
        self._groups = groups  # before its guards are planned, which can ask for it
        try:
            groups.serve(container=self.container, provider=self.provider, threads=self.threads, codecs=self.codecs)
        except BaseException:
            self._groups = None
            raise


@cache
def _runs() -> RunVar[WeakKeyDictionary[Host, int] | None]:
    from anyio.lowlevel import RunVar  # takes a while to import, and is not needed before a server starts

    return RunVar("wscontrollers_runs")


def _runs_here() -> WeakKeyDictionary[Host, int]:
    """How many lifespans of each application are in the running event loop."""
    found = _runs().get(None)
    if found is None:
        found = WeakKeyDictionary[Host, int]()
        _runs().set(found)
    return found


@runtime_checkable
class Guest(Protocol):
    """A router or a route that an application can serve without having it among its own: below a mount, or by hand."""

    def served_by(self, host: Host, dependencies: Sequence[Dependency] = ()) -> Any:
        """The same, bound to an application; itself, if it is bound to one already and nothing is to run before it.

        Args:
            host: What the application gives.
            dependencies: Run before its own.

        Raises:
            DeclarationError: A parameter can never be filled.
        """
        ...


def let_serve(app: object, host: Host) -> None:
    """Have an application serve its guests with this host; one that has a host already keeps it."""
    vars(app).setdefault(_ATTRIBUTE, host)


def host_of(scope: Scope) -> Host | None:
    """The host of the application that a scope runs through, the innermost one; None if it has none."""
    host: Host | None = getattr(scope.get("app"), _ATTRIBUTE, None)
    return host


def at_home(guest: Guest, scope: Scope, alone: Callable[[], Host]) -> Any:
    """A guest bound to the application that a scope runs through or, if that has no host, to what it has alone.

    Raises:
        DeclarationError: A parameter can never be filled.
    """
    host = host_of(scope)
    if host is not None:
        return guest.served_by(host)
    try:
        return guest.served_by(alone())
    except DeclarationError as error:
        error.add_note(
            "wscontrollers: the application that serves it gives it an empty container. "
            "An App gives it its own, and so does one with register_controllers()."
        )
        raise
