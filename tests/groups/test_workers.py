"""How many processes serve the application."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import pytest

from wscontrollers import App, Session
from wscontrollers.groups import Group, workers
from wscontrollers.testing import AsyncTestClient


@pytest.mark.parametrize(
    ("argv", "environ", "number"),
    [
        (["uvicorn", "app:app"], {}, 1),
        (["uvicorn", "app:app", "--workers", "4"], {}, 4),
        (["gunicorn", "-w", "3"], {}, 3),
        (["uvicorn", "--workers=2"], {}, 2),
        (["gunicorn", "-w4", "app:app"], {}, 4),
        (["gunicorn"], {"GUNICORN_CMD_ARGS": "--bind=:80 -w 6"}, 6),
        (["uvicorn", "--workers"], {}, 1),
        (["uvicorn"], {"WEB_CONCURRENCY": "5"}, 5),
        (["uvicorn"], {"WEB_CONCURRENCY": "many"}, 1),
    ],
)
def test_what_the_server_was_told(
    argv: Sequence[str], environ: dict[str, str], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options count in a process that a server started; the variable counts everywhere."""
    monkeypatch.setitem(sys.modules, "gunicorn.arbiter", sys)
    assert workers.workers(argv, environ) == number


def test_options_of_another_program_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test runner's -w is no number of servers."""
    monkeypatch.delitem(sys.modules, "gunicorn.arbiter", raising=False)
    assert workers.workers(["pytest", "-w", "8"], {}) == 1


async def test_a_warning_where_processes_would_not_hear_each_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory engine under several workers is told at the start, if the application has groups."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
        async with AsyncTestClient(App()):
            assert not caplog.records
        async with AsyncTestClient(App(groups=[Group("news")])):
            assert "4 are running" in caplog.text
            assert "Fix:" in caplog.text


async def test_the_warning_where_nothing_is_declared(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application of which nobody could know at the start that it has groups is told at the first use, once."""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session) -> None:
        await session.join("tea")

    async with AsyncTestClient(app) as client:
        for _ in range(2):
            async with client.connect("/") as peer:
                await peer.expect_closed(1000)
    assert caplog.text.count("4 are running") == 1
