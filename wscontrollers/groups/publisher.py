"""`Publisher`: groups from where no sessions are, in a worker, a cron job or a script."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..exceptions import DeclarationError
from .background import Background
from .engines.engine import Engine
from .engines.memory import MemoryEngine
from .groups import Groups

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from ..callables import AnyCallable
    from ..messages import Codec
    from .declaring import Group
    from .kept import Kept
    from .presence.present import Present
    from .published import Published
    from .sending import Publishable

InfoT = TypeVar("InfoT")


class Publisher:
    """Publishes to the groups of an application from outside of it.

        async with Publisher("redis://localhost:6379") as groups:
            await groups.publish("room:tea", Said(text="hello"))

        with Publisher("redis://localhost:6379") as groups:
            groups.publish("room:tea", Said(text="hello"))

    One object serves one `with` at a time, again and again; entering raises `EngineDownError` if the engine is not there, and
    `RuntimeError` in the middle of another `with`. Where processes fork, as Celery's do, enter it behind the fork: what was
    entered before is of no use in the child, and says so.

    Args:
        engine: The application's engine, or its URL.
        groups: The declarations of the application: what is published to a group with a history has to be kept.
        codecs: The codecs of the application, if it has others than JSON: sessions in a codec that is not given here get what
            can be made of JSON.

    Raises:
        DeclarationError: The URL is none or reaches no other process, or a declaration is none.
    """

    def __init__(self, engine: Engine | str, *, groups: Sequence[Group | AnyCallable] = (), codecs: Sequence[Codec] = ()) -> None:
        self._groups = Groups(engine, groups)
        self._groups.write_with(codecs)
        if isinstance(engine, str) and isinstance(self._groups.engine, MemoryEngine):
            raise DeclarationError.at(
                f"Publisher({engine!r})",
                "the memory engine reaches no other process",
                fix='use the engine of the application: "redis://..." or "nats://..."',
            )
        self._background: Background | None = None
        self._sync: SyncGroups | None = None
        self._process: int | None = None

    async def __aenter__(self) -> Groups:
        self._begin()
        try:
            await self._groups.open()
        except BaseException:
            self._process = None
            raise
        return self._groups

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process = None
        await self._groups.close()

    def __enter__(self) -> SyncGroups:
        self._begin()
        try:
            background = Background("wscontrollers-publisher")
            try:
                background.portal.call(self._groups.open)
            except BaseException:
                background.stop()
                raise
        except BaseException:
            self._process = None
            raise
        self._background, self._sync = background, SyncGroups(self._groups, background.portal)
        return self._sync

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        background, sync = self._background, self._sync
        self._background = self._sync = self._process = None
        if background is None or sync is None or not sync.is_here:
            return  # a fork of who entered it: that one leaves it too
        try:
            sync.portal.call(self._groups.close)
        finally:
            background.stop()

    def _begin(self) -> None:
        if self._process == os.getpid():
            raise RuntimeError("Publisher: it is entered already. Fix: use what `with` gave, or make another Publisher.")
        self._process = os.getpid()


class SyncGroups:
    """`Groups` for code without an event loop: each method waits, and may be called from any thread."""

    def __init__(self, groups: Groups, portal: BlockingPortal) -> None:
        self._groups = groups
        self._portal = portal
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is the process in which it was entered, and not a fork of it."""
        return self._process == os.getpid()

    @property
    def portal(self) -> BlockingPortal:
        """The event loop in which the engine's connection lives.

        Raises:
            RuntimeError: It runs in another process: nothing would ever answer.
        """
        if not self.is_here:
            raise RuntimeError("Publisher: it was entered before this process forked. Fix: enter it in the process that uses it.")
        return self._portal

    def publish(self, group: str, message: Publishable, *, exclude: str | Iterable[str] = (), to: str | None = None) -> Published:
        """See `Groups.publish`; sessions are named by their ids, users as "user:id"."""

        async def publish() -> Published:
            return await self._groups.publish(group, message, exclude=exclude, to=to)

        return self.portal.call(publish)

    def disconnect(self, who: str, code: int = 1000, reason: str = "") -> None:
        """See `Groups.disconnect`."""
        self.portal.call(self._groups.disconnect, who, code, reason)

    def history(
        self, group: str, *, since: str | None = None, limit: int | None = None, whispers: bool = False
    ) -> Sequence[Kept]:
        """See `Groups.history`."""

        async def history() -> Sequence[Kept]:
            return await self._groups.history(group, since=since, limit=limit, whispers=whispers)

        return self.portal.call(history)

    @overload
    def members(self, group: str) -> list[Present[Any]]: ...

    @overload
    def members(self, group: str, info: type[InfoT]) -> list[Present[InfoT]]: ...

    def members(self, group: str, info: Any = None) -> list[Present[Any]]:
        """See `Groups.members`."""

        async def members() -> list[Present[Any]]:
            return await self._groups.members(group, info)

        return self.portal.call(members)

    def count(self, group: str) -> int:
        """See `Groups.count`."""
        return self.portal.call(self._groups.count, group)
