"""Tasks that belong to no session: they are kept until they end, and none of them fails without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import EngineDownError
from ..logs import logger_of
from ..session.loops import start_detached

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logger_of("wscontrollers.groups")


class Detached:
    """Starts tasks of an event loop, and holds them: the loop itself would forget them.

    Args:
        engine: The name of the engine, for the log.
    """

    __slots__ = ("_engine", "_tasks")

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._tasks: dict[object, object] = {}

    def start(self, function: Callable[[], Awaitable[None]]) -> None:
        """Start a task; what it raises is logged."""
        key = object()

        async def run() -> None:
            try:
                await function()
            except EngineDownError as error:
                logger.warning("engine %s: %s", self._engine, error)
            except Exception:
                logger.exception("groups: a task failed")
            finally:
                del self._tasks[key]

        self._tasks[key] = None
        task = start_detached(run)
        if key in self._tasks:  # it is not over yet, as it may be where tasks begin eagerly
            self._tasks[key] = task
