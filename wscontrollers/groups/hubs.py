"""The hubs of one `Groups`: one for each event loop that uses it, for as long as that runs."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from anyio.lowlevel import RunVar

from ..logs import logger_of
from ..session.loops import running_loop
from .engines.engine import Engine, EngineState, History
from .hub import Hub
from .workers import workers

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

logger = logger_of("wscontrollers.groups")


class Hubs:
    """Finds the hub of the running event loop, or makes it.

    It keeps none of them: each lives in a variable of its loop, and ends with that or with this.

    Args:
        engine: What carries groups.
        history_of: What is kept of a group.
        lease: Seconds after which an event loop is taken for dead if it does not show itself.

    Attributes:
        hooks: Called with the engine's state whenever that is another one, in whatever event loop.
    """

    __slots__ = ("__weakref__", "_engine", "_history_of", "_is_warned", "_latest", "_lease", "hooks")

    def __init__(self, engine: Engine, history_of: Callable[[str], History | None], lease: float) -> None:
        self._engine = engine
        self._history_of = history_of
        self._lease = lease
        self._is_warned = False
        self._latest: tuple[ref[AbstractEventLoop], ref[Hub]] | None = None
        self.hooks: list[Callable[[EngineState], Any]] = []

    def here(self) -> Hub:
        """That of the running event loop."""
        loop, latest = running_loop(), self._latest
        if latest is not None and loop is not None and latest[0]() is loop and (hub := latest[1]()) is not None:
            return hub
        hub = self._found()
        if loop is not None:
            self._latest = ref(loop), ref(hub)  # a variable of the event loop takes longer to find than a message to write
        return hub

    def _found(self) -> Hub:
        hubs = _hubs.get(None)
        if hubs is None:
            hubs = WeakKeyDictionary[Hubs, Hub]()
            _hubs.set(hubs)
        hub = hubs.get(self)
        if hub is None:
            self._warn_of_others()
            hub = hubs[self] = Hub(self._engine, history_of=self._history_of, changed=self._changed, lease=self._lease)
        return hub

    def _warn_of_others(self) -> None:
        """Tell of processes that this engine does not reach: when it is first used, which may be at the start."""
        if self._is_warned or self._engine.is_shared:
            return
        self._is_warned = True
        number = workers(sys.argv, os.environ)
        if number > 1:
            logger.warning(
                "groups: the %s engine reaches the sessions of one process, and %d are running: each hears its own alone. "
                'Fix: App(engine="redis://...").',
                self._engine.name,
                number,
            )

    @property
    def _changed(self) -> Callable[[EngineState, str], None]:
        name, hooks = self._engine.name, self.hooks  # and not this object: the hub must not keep it

        def changed(state: EngineState, reason: str) -> None:
            level = logging.INFO if state is EngineState.UP else logging.WARNING
            logger.log(level, "engine %s is %s: %s", name, state.value, reason)
            for hook in hooks:
                try:
                    hook(state)
                except Exception:
                    logger.exception("engine %s: a hook for its state failed", name)

        return changed


_hubs: RunVar[WeakKeyDictionary[Hubs, Hub] | None] = RunVar("wscontrollers_hubs")
