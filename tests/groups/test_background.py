"""An event loop in a thread of its own."""

from __future__ import annotations

import threading

import anyio
import pytest

from wscontrollers.groups.background import Background


async def where() -> str:
    """The thread that runs this."""
    return threading.current_thread().name


def test_what_is_called_runs_in_its_loop_until_it_is_stopped() -> None:
    """Then its thread is over, and nothing can be called any more."""
    background = Background("beside")
    assert background.portal.call(where) == "beside"
    background.stop()
    assert "beside" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError):
        background.portal.call(where)


def test_a_loop_that_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who starts it hears of it, and waits for nothing."""

    def refuse(*arguments: object) -> None:
        raise OSError("no more files")

    monkeypatch.setattr(anyio, "run", refuse)
    with pytest.raises(OSError, match="no more files"):
        Background("beside")
