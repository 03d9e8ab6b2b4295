"""An event loop in a thread of its own, for code that has none."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Thread

import anyio
from anyio.from_thread import BlockingPortal


class Background:
    """Runs an event loop beside the program, until it is stopped or the program ends.

    anyio's own `start_blocking_portal` waits for its thread when it is let go of: in a fork, where that is not, for ever.

    Args:
        name: The thread's.

    Attributes:
        portal: Calls functions in the event loop.
    """

    def __init__(self, name: str) -> None:
        started: Future[BlockingPortal] = Future()
        self._thread = Thread(target=_run, args=(started,), name=name, daemon=True)
        self._thread.start()
        self.portal = started.result()

    def stop(self) -> None:
        """End it, and wait for that."""
        self.portal.call(self.portal.stop)
        self._thread.join()


def _run(started: Future[BlockingPortal]) -> None:
    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    try:
        anyio.run(serve)
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
