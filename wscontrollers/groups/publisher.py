"""`Publisher`: groups from where no sessions are, in a worker, a cron job or a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..exceptions import DeclarationError
from .engines.engine import Engine
from .engines.memory import MemoryEngine
from .groups import Groups

if TYPE_CHECKING:
    from ..callables import AnyCallable
    from ..messages import Codec
    from .declaring import Group
    from .kept import Kept
    from .presence.present import Present
    from .published import Published


class Publisher:
    """Publishes to the groups of an application from outside of it.

        async with Publisher("redis://localhost:6379") as groups:
            await groups.publish("room:tea", Said(text="hello"))

        with Publisher("redis://localhost:6379") as groups:
            groups.publish("room:tea", Said(text="hello"))

    One object serves one `with` at a time, again and again; entering raises `EngineDownError` if the engine is not there. Where
    processes fork, as Celery's do, enter it behind the fork.

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
        self._portal: AbstractContextManager[BlockingPortal] | None = None
        self._sync: SyncGroups | None = None

    async def __aenter__(self) -> Groups:
        await self._groups.open()
        return self._groups

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._groups.close()

    def __enter__(self) -> SyncGroups:
        self._portal = start_blocking_portal(name="wscontrollers-publisher")
        portal = self._portal.__enter__()
        try:
            portal.call(self._groups.open)
        except BaseException:
            self._portal.__exit__(None, None, None)
            raise
        self._sync = SyncGroups(self._groups, portal)
        return self._sync

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        assert self._portal is not None
        assert self._sync is not None
        try:
            self._sync.portal.call(self._groups.close)
        finally:
            self._portal.__exit__(None, None, None)
            self._portal = self._sync = None


class SyncGroups:
    """`Groups` for code without an event loop: each method waits, and may be called from any thread.

    Attributes:
        portal: The event loop in which the engine's connection lives.
    """

    def __init__(self, groups: Groups, portal: BlockingPortal) -> None:
        self._groups = groups
        self.portal = portal

    def publish(self, group: str, message: Any, *, exclude: str | Iterable[str] = (), to: str | None = None) -> Published:
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

    def members(self, group: str) -> list[Present[Any]]:
        """See `Groups.members`."""
        return self.portal.call(self._groups.members, group)

    def count(self, group: str) -> int:
        """See `Groups.count`."""
        return self.portal.call(self._groups.count, group)
