"""The fixtures that pytest finds by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CONFTEST = """
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

async def echo(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)

@pytest.fixture
def {name}():
    return Starlette(routes=[WebSocketRoute("/", echo)])
"""

TESTS = """
import pytest

@pytest.mark.anyio
async def test_memory(wsc_client):
    async with wsc_client.connect("/") as session:
        await session.send_text("hi")
        assert await session.receive_text() == "hi"

@pytest.mark.anyio
async def test_real(wsc_real_client):
    async with wsc_real_client.connect("/") as session:
        await session.send_text("hi")
        assert await session.receive_text() == "hi"

def test_sync(wsc_sync_client):
    with wsc_sync_client.websocket_connect("/") as session:
        session.send_text("hi")
        assert session.receive_text() == "hi"
"""


def run(directory: Path, *options: str) -> str:
    # A directory of its own: no configuration of this project, and no other plugin but anyio's.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "anyio", "-p", "wscontrollers.testing.plugin", *options]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False).stdout


def test_clients_of_the_app_fixture(tmp_path: Path) -> None:
    """Without configuration; on trio the real one skips."""
    (tmp_path / "conftest.py").write_text(CONFTEST.format(name="app"))
    (tmp_path / "test_chat.py").write_text(TESTS)
    assert "4 passed, 1 skipped" in run(tmp_path)


def test_another_name_is_chosen_by_an_override(tmp_path: Path) -> None:
    """`wsc_app` is a fixture like any other; without it and `app` the error says what to define."""
    (tmp_path / "conftest.py").write_text(CONFTEST.format(name="wsc_app"))
    (tmp_path / "test_chat.py").write_text(TESTS)
    assert "4 passed, 1 skipped" in run(tmp_path)
    (tmp_path / "conftest.py").write_text("")
    assert "there is no fixture `app`. Fix: define one" in run(tmp_path, "-k", "sync")


@pytest.mark.parametrize("blocked", ["httpx2", "uvicorn", "websockets"])
def test_the_asynchronous_half_needs_no_more_than_the_package(blocked: str) -> None:
    """The plugin is loaded in every run of pytest, also where the synchronous client or a server could not be imported."""
    code = (
        f"import sys; sys.modules[{blocked!r}] = None\n"
        "import wscontrollers.testing.plugin, wscontrollers.testing as testing\n"
        "testing.AsyncTestClient"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_the_entry_point_is_declared() -> None:
    """Under the module's own name, so that `-p wscontrollers.testing.plugin` does not load it twice."""
    declared = (ROOT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\n"wscontrollers.testing.plugin" = "wscontrollers.testing.plugin"\n' in declared
