"""What a test knows of the application's side of a session."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from starlette.websockets import WebSocketDisconnect

from wscontrollers.testing.clock import VirtualClock
from wscontrollers.testing.run import ApplicationRun

pytestmark = pytest.mark.anyio


def a_run() -> ApplicationRun:
    return ApplicationRun(VirtualClock())


async def test_the_first_failure_counts() -> None:
    """It is raised once for the test to see, and again for whoever asks; the same exception is noted once."""
    run = a_run()
    first = ValueError("first")
    for failure in (first, first, KeyError("second")):
        run.report(failure)
    assert run.unseen_failure is first
    for _ in range(2):
        with pytest.raises(ValueError, match="first"):
            run.raise_failure()
    assert run.unseen_failure is None


async def test_an_expected_failure_is_none() -> None:
    """What comes later is a failure again."""
    run = a_run()
    run.report(ValueError())
    run.expect_failure()
    run.raise_failure()
    run.report(KeyError())
    with pytest.raises(KeyError):
        run.raise_failure()


@pytest.mark.parametrize(
    ("error", "is_failure"),
    [
        (ConnectionResetError(), False),
        (WebSocketDisconnect(1000), False),
        (ExceptionGroup("", [WebSocketDisconnect(1000)]), False),
        (FileNotFoundError(), True),
        (ValueError(), True),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_that_the_peer_left_is_no_failure(error: BaseException, is_failure: bool) -> None:
    """Behind the end, what `send` raises there and a disconnect tell of it; before the end everything is a failure."""
    before, behind = a_run(), a_run()
    before.raised(error, broken=ConnectionResetError)
    behind.peer_left = True
    behind.raised(error, broken=ConnectionResetError)
    assert before.unseen_failure is error
    assert (behind.unseen_failure is error) is is_failure


async def test_the_application_reports_and_reads_the_clock_through_the_scope() -> None:
    """Keys of the package, which servers do not set."""
    run = a_run()
    scope: dict[str, object] = {}
    run.begin(scope)
    assert scope == {"wscontrollers.report_exception": run.report, "wscontrollers.clock": run.clock}


async def test_settled_is_ended_or_at_rest() -> None:
    """A busy application that ends is settled at once, one that does not end after its time."""
    run = a_run()
    async with anyio.create_task_group() as tasks:

        async def work() -> None:
            while not run.ended.is_set():
                await anyio.lowlevel.checkpoint()

        tasks.start_soon(work)
        assert not await run.settle(0.01)
        run.ended.set()
        assert await run.settle(1)
