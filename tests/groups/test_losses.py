"""What groups lost, in the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from wscontrollers.groups import losses
from wscontrollers.groups.losses import Losses


async def test_one_line_for_all_that_a_fault_took(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the numbers and a few names, and no user's; the next fault has its own."""
    monkeypatch.setattr(losses, "SOON", 0.0)
    tasks: list[Callable[[], Awaitable[None]]] = []
    noted = Losses(tasks.append)
    for number in range(500):
        noted.lost(f"user:{number}", 0 if number % 5 else 2)
    noted.lost("room:1", 1)
    noted.waits(OSError("it is slow"))
    noted.waits(OSError("it is slower"))
    (task,) = tasks
    await task()
    noted.lost("room:2", 3)
    await tasks[1]()
    await tasks[1]()
    assert [record.getMessage() for record in caplog.records] == [
        "groups: messages were lost on their way here, in 501 groups ('room:1', ...): 201, and an unknown number in 400",
        "groups: 2 wait for what they missed: it is slower",
        "groups: messages were lost on their way here, in 1 groups ('room:2'): 3",
    ]
