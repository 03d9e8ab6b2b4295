"""What a soak runs on: the engine's server, a cable from each worker to it, and the workers as processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import httpx2

from tests.groups.engines.cable import Cable
from tests.groups.engines.nats_server import NatsServer
from tests.groups.engines.servers import RedisServer, Server, free_port, valkey_binary

ROOT = Path(__file__).parents[2]


class Worker(Server):
    """A process that serves an application by uvicorn.

    Args:
        folder: Where its log is.
        app: The application's module and name.
        environment: Variables that it has besides those of this process.
        options: More for uvicorn.
    """

    def __init__(self, folder: Path, app: str, environment: dict[str, str], *options: str) -> None:
        port = free_port()
        paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path)])
        variables = [f"{name}={value}" for name, value in (environment | {"PYTHONPATH": paths}).items()]
        served = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning", *options]
        super().__init__(["/usr/bin/env", "-C", str(ROOT), *variables, *served], folder, port)

    @property
    def tracebacks(self) -> list[str]:
        """What it logged with a traceback that leads through this package; clients of engines have their own way to lose one."""
        _, *found = (self.folder / "log").read_text().split("Traceback (most recent call last)")
        return [each for each in found if "/wscontrollers/" in each]

    async def used(self) -> dict[str, int]:
        """What it holds at this moment; nothing if it is not there."""
        try:
            async with httpx2.AsyncClient(timeout=5, trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/used")
        except httpx2.TransportError:
            return {}
        found: dict[str, int] = answer.json()
        return found


class Stage(NamedTuple):
    """What runs.

    Attributes:
        server: That of the engine; None with the memory engine.
        cables: From each worker to it.
        workers: The workers.
    """

    server: Server | None
    cables: list[Cable]
    workers: list[Worker]


def server_of(engine: str, folder: Path) -> Server | None:
    """The server of an engine, not started.

    Raises:
        ValueError: There is no such engine.
    """
    if engine == "memory":
        return None
    if engine == "redis":
        return RedisServer(valkey_binary(), folder)
    if engine == "nats":
        return NatsServer(folder)
    raise ValueError(f"ENGINE={engine}: there is none. Fix: memory, redis or nats.")


@asynccontextmanager
async def staged(engine: str, folder: Path) -> AsyncIterator[Stage]:
    """All of it, running; nothing runs any more behind it."""
    server = server_of(engine, folder / "server")
    async with AsyncExitStack() as stack:
        if server is not None:
            stack.callback(server.kill)
            await anyio.to_thread.run_sync(server.start)
        cables = [] if server is None else [await stack.enter_async_context(Cable(server.port)) for _ in range(2)]
        urls = [f"{engine}://127.0.0.1:{cable.port}" for cable in cables] or ["memory://"]
        workers: list[Worker] = []
        for number, url in enumerate(urls):
            worker = Worker(folder / f"worker-{number}", "tests.soak.application:app", {"SOAK_ENGINE": url})
            stack.callback(worker.kill)
            await anyio.to_thread.run_sync(worker.start)
            workers.append(worker)
        yield Stage(server, cables, workers)
