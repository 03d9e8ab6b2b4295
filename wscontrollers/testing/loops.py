"""Reaching an event loop from the test's thread without waiting for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


def scheduler() -> Callable[[Callable[[], object]], object]:
    """A function that has the running event loop call something soon; it may be called from any thread, and keeps the order.

    A portal's own calls wait for the loop: an endpoint that blocks it would block the test too.
    """
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # no dependency of this package: whoever runs here has it

        return trio.lowlevel.current_trio_token().run_sync_soon


def abandoned(close: Callable[[], object], *, within: float = 0) -> bool:
    """Call something that may never return, in a thread of its own that does not keep the process alive.

    Args:
        close: What to call.
        within: Seconds to wait for its end.

    Returns:
        Whether it had ended by then.
    """
    thread = threading.Thread(target=close, name="abandoned by a test", daemon=True)
    thread.start()
    thread.join(within)
    return not thread.is_alive()
